-- What a report says and which transactions it may mean; and how the matcher finds candidates.
-- pre

create table report_fact (
  report bigint not null references report,
  number integer not null,
  kind text not null,
  value jsonb not null,
  text text not null,
  begins integer not null,
  ends integer not null,
  confidence double precision not null check (confidence between 0 and 1),
  origin text not null,
  primary key (report, number)
);
comment on table report_fact is 'What a report says, in the order of its text. Accounts are masked, in value and text.';

create table report_match (
  report bigint primary key references report,
  at timestamptz not null,
  model text not null,
  none_probability double precision not null check (none_probability between 0 and 1),
  terminals jsonb not null,
  decision jsonb not null
);
comment on table report_match is 'What the matcher found for a report, with the version of its weights: probabilities of terminals, and what was decided and why.';

create table report_candidate (
  report bigint not null references report_match,
  rank integer not null check (rank >= 1),
  terminal text not null,
  epoch bigint not null,
  tx text not null,
  probability double precision not null check (probability between 0 and 1),
  evidence jsonb not null,
  primary key (report, rank)
);
create index report_candidate_tx on report_candidate (terminal, epoch, tx);
comment on table report_candidate is 'Transactions that a report may mean, best first, each with what speaks for it and against it.';

create index transaction_account on transaction (account_hash, started_at desc)
  where account_hash is not null;
create index transaction_receipt on transaction (ltrim(receipt_number, '0'), started_at desc)
  where receipt_number is not null;
create index transaction_reference on transaction (ltrim(payment_reference, '0'), started_at desc)
  where payment_reference is not null;
create index transaction_fiscal on transaction (ltrim(fiscal ->> 'fp', '0'))
  where fiscal is not null;
comment on index transaction_receipt is 'Customers leave out leading zeros.';
