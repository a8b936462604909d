-- Mail in and out: each letter once; cases of customers whose payment is not found yet.
-- pre

-- A customer's message has a case with a term at once, also before anybody knows where it happened.
alter table support_case
  alter column terminal drop not null,
  add column merged_into text references support_case,
  add constraint support_case_place check (terminal is not null or (epoch is null and tx is null));
create index support_case_merged on support_case (merged_into) where merged_into is not null;
comment on column support_case.terminal is 'Null: a customer wrote and nobody knows yet which terminal it was.';
comment on column support_case.merged_into is 'The case that went on with it; what is sent to this number belongs there.';

create table mail_in (
  id bigint generated always as identity primary key,
  source text not null,
  uidvalidity bigint,
  uid bigint,
  digest bytea not null unique,
  message_id bytea,
  received_at timestamptz not null,
  report bigint not null references report,
  constraint mail_in_place check ((uidvalidity is null) = (uid is null))
);
create unique index mail_in_uid on mail_in (source, uidvalidity, uid) where uid is not null;
create index mail_in_message_id on mail_in (message_id) where message_id is not null;
create index mail_in_report on mail_in (report);
comment on table mail_in is 'Every mail that came, once: by its place in its mailbox and by its content.';
comment on column mail_in.source is 'The mailbox, the drop folder, or api.';
comment on column mail_in.digest is 'SHA-256 of the mail as it came.';
comment on column mail_in.message_id is 'Keyed hash of its Message-ID: people''s addresses stand in some.';

create table mail_place (
  source text not null,
  uidvalidity bigint not null,
  uid_next bigint not null,
  primary key (source, uidvalidity)
);
comment on table mail_place is 'How far a mailbox was read: every uid below is stored or refused for good.';

create table mail_out (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('answer', 'resolution')),
  case_number text not null references support_case,
  number integer not null,
  report bigint not null references report,
  history bigint references case_history,
  customer text not null,
  content bytea not null,
  state text not null default 'waiting' check (state in ('waiting', 'sending', 'sent', 'failed')),
  tries integer not null default 0,
  created_at timestamptz not null,
  due_at timestamptz not null,
  sent_at timestamptz,
  error text,
  unique (case_number, number)
);
create unique index mail_out_answer on mail_out (report) where kind = 'answer';
create unique index mail_out_resolution on mail_out (history, customer) where kind = 'resolution';
create index mail_out_waiting on mail_out (due_at) where state in ('waiting', 'sending');
create index mail_out_customer on mail_out (customer, created_at desc);
create index mail_out_created on mail_out (created_at);
-- Which cases people resolved lately: there may be a customer who does not know it. What the
-- detector resolves by itself has no customer, and is a hundred times as much.
create index case_history_resolved on case_history (at)
  where action = 'resolve' and actor <> 'detector';
comment on table mail_out is 'Every mail that we owe a customer, written down before it is sent.';
comment on column mail_out.number is 'Which mail of its case: with the case, its signed Message-ID.';
comment on column mail_out.history is 'The move that it tells of.';
comment on column mail_out.customer is 'Keyed hash of the address, as in report.customers.';
comment on column mail_out.content is 'Recipient and mail as sent; encrypted as a report''s content.';
comment on column mail_out.state is 'sending: at the door; it may have gone, and goes again under the same Message-ID.';

alter table report add column answer text check (answer in ('none', 'owed', 'written', 'withheld'));
comment on column report.answer is 'Whether its sender gets an automatic answer; null: not decided yet.';
create index report_answer on report (id) where answer = 'owed';
