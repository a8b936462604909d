-- What the collector keeps: terminals, exact copies of journals, the last pulse, what was unreadable.
-- pre

create table terminal (
  terminal text primary key check (terminal ~ '^[A-Za-z0-9_-]{1,32}$'),
  registered boolean not null default false,
  name text, country text, city text, address text, metro text, place text,
  lat double precision, lon double precision,
  timezone text not null default 'Europe/Moscow',
  region text, technician text,
  opens time, closes time,
  first_heard_at timestamptz,
  changed_at timestamptz not null default now()
);
comment on table terminal is 'One payment machine; registered = somebody imported it. The collector adds unknown ones that speak.';

create table journal (
  terminal text not null,
  epoch bigint not null,
  next_seq bigint not null default 1 check (next_seq >= 1),
  mark text not null,
  moved_at timestamptz not null default now(),
  primary key (terminal, epoch)
) with (fillfactor = 70);
comment on table journal is 'The service''s cursor in each journal: everything before next_seq is stored; mark is that of next_seq - 1.';

create table event (
  terminal text not null,
  epoch bigint not null,
  seq bigint not null,
  kind text not null,
  at timestamptz not null,
  received_at timestamptz not null,
  body jsonb not null
) partition by range (received_at);
comment on table event is 'The exact, ordered copy of every journal. at: the time rules use (the terminal''s, or received_at where its clock is untrusted: body has clock = untrusted). body: the event as sent, accounts masked and hashed.';
create index event_seq on event (terminal, epoch, seq);
create index event_at on event (terminal, at);

create table event_default partition of event default;

create table terminal_now (
  terminal text primary key,
  heard_at timestamptz not null,
  pulse jsonb,
  pulse_at timestamptz,
  pulse_received_at timestamptz,
  boot text,
  online boolean,
  online_changed_at timestamptz
) with (fillfactor = 70);
comment on table terminal_now is 'How each terminal is now: last heard (pulse, journal or online presence), newest pulse, presence of the current boot. pulse_at is the rule time of the pulse (received time where its clock is untrusted).';

create table journal_clash (
  terminal text not null,
  epoch bigint not null,
  evidence text not null check (evidence in ('fork', 'old_epoch')),
  seq bigint not null,
  times bigint not null default 1,
  first_at timestamptz not null,
  previous_at timestamptz,
  last_at timestamptz not null,
  primary key (terminal, epoch, evidence)
);
comment on table journal_clash is 'What speaks for two journals under one number: a batch at next with a wrong prev (fork), a smaller epoch that moved after a larger one was seen (old_epoch). incidents judges it.';

create table quarantine (
  id bigint generated always as identity primary key,
  terminal text not null,
  epoch bigint not null,
  seq bigint not null,
  received_at timestamptz not null,
  reason text not null,
  body text not null
);
create index quarantine_terminal on quarantine (terminal, id);
comment on table quarantine is 'Events that could not be read, as ASCII JSON text with accounts masked, beside their row of kind quarantined in event.';

create table refusal (
  terminal text not null,
  digest text not null,
  channel text not null,
  reason text not null,
  size_bytes integer not null,
  times bigint not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (terminal, digest)
);
comment on table refusal is 'Payloads that were refused whole: only size and digest are kept. Bounded per terminal by the collector.';

create function keep_event_partitions(moment timestamptz, step interval, ahead interval, keep interval)
returns table (made integer, dropped integer)
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
  lower_bound timestamptz;
  upper_bound timestamptz;
  part record;
begin
  made := 0;
  dropped := 0;
  -- Two collectors that do this at once would trip over each other's tables.
  perform pg_advisory_xact_lock(x'4b564950'::bigint);
  create temporary table if not exists part_bound (name text, upto timestamptz) on commit drop;
  delete from part_bound;
  insert into part_bound
    select child.oid::regclass::text,
           substring(pg_get_expr(child.relpartbound, child.oid) from $re$TO \('([^']+)'\)$re$)::timestamptz
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'event'::regclass and child.oid <> 'event_default'::regclass;

  -- A partition cannot be made over rows that lie in the default one: they move into it.
  delete from event_default where received_at < moment - keep;
  lower_bound := greatest((select max(upto) from part_bound),
    date_trunc('day', least(moment, (select min(received_at) from event_default))));
  while lower_bound < moment + ahead loop
    upper_bound := lower_bound + step;
    execute format('create table %I (like event including all)', 'event_' || to_char(lower_bound, 'YYYYMMDD'));
    execute format('with moved as (delete from event_default where received_at >= %L and received_at < %L returning *)
                    insert into %I select * from moved',
                   lower_bound, upper_bound, 'event_' || to_char(lower_bound, 'YYYYMMDD'));
    execute format('alter table event attach partition %I for values from (%L) to (%L)',
                   'event_' || to_char(lower_bound, 'YYYYMMDD'), lower_bound, upper_bound);
    made := made + 1;
    lower_bound := upper_bound;
  end loop;

  for part in select name from part_bound where upto <= moment - keep loop
    execute format('drop table %s', part.name);
    dropped := dropped + 1;
  end loop;
  return next;
end $$;
comment on function keep_event_partitions is 'Makes the partitions of event from now to now + ahead, one a step (whole days), and drops those that ended before now - keep. Safe to run again and at once. Runs as its owner, so the collector needs no right to change tables.';
revoke all on function keep_event_partitions from public;
