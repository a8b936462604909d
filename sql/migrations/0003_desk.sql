-- What the desk keeps: reports from customers, tokens of its users; and how it finds and pages.
-- pre

create table report (
  id bigint generated always as identity primary key,
  channel text not null check (channel in ('mail', 'phone', 'form')),
  received_at timestamptz not null,
  reported_at timestamptz,
  status text not null check (status in ('attached', 'suggested', 'needs_facts', 'suspended', 'other')),
  content bytea not null,
  case_number text references support_case
);
create index report_received on report (received_at desc);
create index report_case on report (case_number) where case_number is not null;
comment on column report.content is 'What the customer wrote, whole, encrypted with the desk''s key.';

create table api_token (
  id bigint generated always as identity primary key,
  name text not null unique,
  hash bytea not null unique,
  created_at timestamptz not null,
  revoked_at timestamptz
);
comment on column api_token.hash is 'SHA-256 of the token; the token itself (256 random bits) is shown once and kept nowhere.';

alter table terminal add column search text not null generated always as (
  replace(lower(
    terminal || ' ' || coalesce(name, '') || ' ' || coalesce(city, '') || ' ' ||
    coalesce(address, '') || ' ' || coalesce(metro, '') || ' ' || coalesce(place, '')
  ), 'ё', 'е')
) stored;
comment on column terminal.search is 'What a search looks through, folded as the desk folds the query: lower case, ё as е.';

create index incident_open_opened on incident (opened_at desc) where cleared_at is null;
create index support_case_state on support_case (state, opened_at desc);
create index quarantine_received on quarantine (received_at desc, id desc);
create index quarantine_terminal_received on quarantine (terminal, received_at desc, id desc);
comment on index incident_open_opened is 'The open incidents of the whole fleet, newest first, among millions of closed ones.';
