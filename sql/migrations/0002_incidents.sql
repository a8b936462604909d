-- What incidents keeps: fold positions and states, transactions, incidents, cases.
-- pre

create table fold (
  terminal text primary key,
  state json not null,
  ripe_at timestamptz,
  pulse_received_at timestamptz,
  changed_at timestamptz not null default now()
) with (fillfactor = 70);
create index fold_ripe on fold (ripe_at) where ripe_at is not null;
comment on column fold.ripe_at is 'The rule time at which something that waits has waited long enough: a pulse of that time proves it.';
comment on column fold.pulse_received_at is 'The newest pulse that the fold has looked at.';
comment on table fold is 'The compact state of a terminal''s fold; moved in the commit that writes what was found.';

create table fold_position (
  terminal text not null,
  epoch bigint not null,
  next_seq bigint not null,
  received_at timestamptz not null,
  primary key (terminal, epoch)
) with (fillfactor = 70);
comment on table fold_position is 'The next seq to fold in each journal, and the received_at of the last folded row (prunes partitions).';

create table device_now (
  terminal text not null,
  device text not null,
  status text not null,
  paper text,
  storage text,
  cause text,
  code text,
  since timestamptz not null,
  primary key (terminal, device)
);
comment on table device_now is 'The state of each device by the journal; since: event time of the last change.';

create table transaction (
  terminal text not null,
  epoch bigint not null,
  tx text not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  end_cause text,
  service text,
  service_name text,
  account_masked text,
  account_hash text,
  accepted bigint not null default 0,
  returned bigint not null default 0,
  currency text,
  payment text,
  payment_amount bigint,
  payment_fee bigint,
  payment_code text,
  payment_reference text,
  receipt text,
  receipt_cause text,
  receipt_number text,
  fiscal jsonb,
  proof jsonb not null,
  judged json not null default '{}',
  primary key (terminal, epoch, tx)
) with (fillfactor = 70);
create index transaction_at on transaction (terminal, started_at desc);
create index transaction_time on transaction (started_at desc);
comment on column transaction.judged is 'What the money rules have said of it: rule -> opened, cleared, times, cause, proof.';
comment on table transaction is 'One customer''s attempt to pay, folded from the journal. proof: the seqs that matter, by kind.';

create sequence support_case_number;

create table support_case (
  number text primary key,
  topic text not null,
  state text not null check (state in ('new', 'open', 'waiting_customer', 'resolved', 'closed')),
  terminal text not null,
  epoch bigint,
  tx text,
  opened_at timestamptz not null,
  due_at timestamptz not null,
  opened_by text not null check (opened_by in ('detector', 'mail', 'phone', 'form')),
  touched boolean not null default false,
  changed_at timestamptz not null
);
create unique index support_case_tx on support_case (terminal, epoch, tx)
  where tx is not null and opened_by = 'detector';
create unique index support_case_work_order on support_case (terminal)
  where topic = 'work_order' and state not in ('resolved', 'closed');
create index support_case_terminal on support_case (terminal, opened_at desc);
create index support_case_opened on support_case (opened_at desc);
comment on column support_case.touched is 'A person has done something with it: it never resolves by itself again.';

create table case_history (
  id bigint generated always as identity primary key,
  number text not null references support_case,
  at timestamptz not null,
  actor text not null,
  action text not null,
  state_from text,
  state_to text,
  text text,
  public boolean not null default false
);
create index case_history_number on case_history (number, id);
create function case_history_stays() returns trigger language plpgsql as
  $$ begin raise exception 'the history of a case is never changed'; end $$;
create trigger case_history_stays before update or delete on case_history
  for each row execute function case_history_stays();

create table incident (
  id bigint generated always as identity primary key,
  terminal text not null,
  rule text not null,
  epoch bigint,
  subject text,
  cause text,
  severity text not null check (severity in ('info', 'warning', 'critical')),
  provisional boolean not null default false,
  opened_at timestamptz not null,
  detected_at timestamptz not null,
  cleared_at timestamptz,
  times integer not null default 1,
  proof jsonb not null,
  case_number text references support_case
);
create unique index incident_open on incident (terminal, rule, coalesce(epoch, 0), coalesce(subject, ''))
  where cleared_at is null;
create index incident_subject on incident (terminal, rule, epoch, subject);
create index incident_terminal on incident (terminal, opened_at desc);
create index incident_opened on incident (opened_at desc);
create index incident_case on incident (case_number) where case_number is not null;
create index incident_provisional on incident (detected_at) where provisional and cleared_at is null;
create index incident_rule_open on incident (rule, terminal) where cleared_at is null;
comment on table incident is 'What holds, under its key: one open incident per terminal, rule and subject. times: how often it opened, reopenings included.';

create table listening (
  collector text primary key,
  since timestamptz not null,
  until timestamptz not null
);
comment on table listening is 'Each collector, while it is subscribed at the broker, writes since when, and moves until every 5 s: so that a deaf service is not taken for a silent fleet.';
