-- Upkeep of the partitions, so that a service whose clock is wrong for a while loses no journals.
-- post

create or replace function keep_event_partitions(moment timestamptz, step interval, ahead interval, keep interval)
returns table (made integer, dropped integer)
language plpgsql security definer set search_path = public, pg_temp set timezone = 'UTC' set lock_timeout = '5s' as $$
declare
  lower_bound timestamptz;
  upper_bound timestamptz;
  oldest text;
begin
  made := 0;
  dropped := 0;
  -- Two collectors that do this at once would trip over each other's tables.
  perform pg_advisory_xact_lock(x'4b564950'::bigint);
  create temporary table if not exists part_bound (name text, since timestamptz, upto timestamptz) on commit drop;
  delete from part_bound;
  insert into part_bound
    select child.oid::regclass::text,
           substring(pg_get_expr(child.relpartbound, child.oid) from $re$FROM \('([^']+)'\)$re$)::timestamptz,
           substring(pg_get_expr(child.relpartbound, child.oid) from $re$TO \('([^']+)'\)$re$)::timestamptz
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = 'event'::regclass and child.oid <> 'event_default'::regclass;

  -- A partition cannot be made over rows that lie in the default one: they move into it. What was
  -- received by a clock far behind stays there until its terminal's clock, too, calls it old.
  delete from event_default where received_at < moment - keep
    and (body ->> 'at')::float8 < extract(epoch from moment - keep) * 1000;
  -- What a clock far ahead has made stays where it is, and ends no present.
  lower_bound := greatest(
    coalesce((select max(upto) from part_bound where since < moment + ahead), (select max(upto) from part_bound)),
    date_trunc('day', least(moment, (select min(received_at) from event_default where received_at >= moment - keep))));
  while lower_bound < moment + ahead loop
    upper_bound := least(lower_bound + step, (select min(since) from part_bound where since > lower_bound));
    execute format('create table %I (like event including all)', 'event_' || to_char(lower_bound, 'YYYYMMDD'));
    execute format('with moved as (delete from event_default where received_at >= %L and received_at < %L returning *)
                    insert into %I select * from moved',
                   lower_bound, upper_bound, 'event_' || to_char(lower_bound, 'YYYYMMDD'));
    execute format('alter table event attach partition %I for values from (%L) to (%L)',
                   'event_' || to_char(lower_bound, 'YYYYMMDD'), lower_bound, upper_bound);
    made := made + 1;
    lower_bound := upper_bound;
  end loop;

  -- The oldest only: by a clock that is years ahead every one of them is old.
  select name into oldest from part_bound where upto <= moment - keep order by upto limit 1;
  if found then
    execute format('drop table %s', oldest);
    dropped := 1;
  end if;
  return next;
end $$;
comment on function keep_event_partitions is 'Makes the partitions of event from now to now + ahead, one a step (whole days), and drops the oldest if it ended before now - keep: one a call, so that a clock that is wrong for a while costs little. Safe to run again and at once. Runs as its owner, so the collector needs no right to change tables.';
