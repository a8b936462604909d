-- What Grafana may see: how terminals are and how incidents go; no accounts, people or free text.
-- pre

create schema grafana;
comment on schema grafana is 'Views for dashboards, without personal data; the role kvitok_grafana sees nothing else.';

create view grafana.terminal as
  select terminal, registered, name, country, city, metro, lat, lon, timezone, region, opens, closes,
         first_heard_at, changed_at
  from terminal;

create view grafana.terminal_now as
  select terminal, heard_at, pulse_at, pulse_received_at, online, online_changed_at,
         (pulse ->> 'unacked')::numeric as unacked,
         (pulse ->> 'uptime_s')::numeric as uptime_s,
         (pulse ->> 'paper_mm')::numeric as paper_mm,
         (pulse ->> 'notes')::numeric as notes,
         (pulse ->> 'cash')::numeric as cash,
         pulse ->> 'currency' as currency,
         (pulse ->> 'signal_dbm')::numeric as signal_dbm,
         (pulse ->> 'disk_free_mb')::numeric as disk_free_mb,
         pulse ->> 'agent' as agent
  from terminal_now;

create view grafana.journal as
  select terminal, epoch, next_seq, moved_at from journal;

create view grafana.event as
  select terminal, epoch, seq, kind, at, received_at,
         body ->> 'device' as device, body ->> 'status' as status, body ->> 'outcome' as outcome
  from event;

create view grafana.device_now as
  select terminal, device, status, paper, storage, cause, code, since from device_now;

create view grafana.transaction as
  select terminal, epoch, tx, started_at, ended_at, end_cause, service, service_name, accepted, returned,
         currency, payment, payment_amount, payment_fee, payment_code, receipt, receipt_cause
  from transaction;

create view grafana.incident as
  select id, terminal, rule, cause, severity, provisional, opened_at, detected_at, cleared_at, times, case_number
  from incident;

create view grafana.support_case as
  select number, topic, state, terminal, opened_at, due_at, opened_by, changed_at from support_case;

create view grafana.report as
  select channel, received_at, reported_at, status from report;

create view grafana.quarantine as
  select terminal, received_at, reason from quarantine;

create view grafana.refusal as
  select terminal, channel, reason, size_bytes, times, first_at, last_at from refusal;

create view grafana.journal_clash as
  select terminal, epoch, evidence, seq, times, first_at, previous_at, last_at from journal_clash;
