-- What a report was found to be about, who wrote it, and when it was last looked at.
-- pre

alter table report
  add column terminal text,
  add column epoch bigint,
  add column tx text,
  add column attached_by text check (attached_by in ('matcher', 'person')),
  add column customers text[] not null default '{}',
  add column set_aside text,
  add column reading bytea,
  add column held boolean not null default false,
  add column tried_at timestamptz,
  add constraint report_attachment check (
    (attached_by is null) = (terminal is null) and (epoch is null) = (tx is null)
    and (attached_by is null or case_number is not null)
  ) not valid;
create index report_status on report (status, received_at desc, id desc);
create index report_unattached on report (received_at)
  where status in ('needs_facts', 'suggested') and case_number is null;
comment on column report.customers is 'Keyed hashes of where its customer can be reached: two reports that share one are of one customer.';
comment on column report.set_aside is 'Why it is kept from the program (status suspended): no person wrote it to us as a customer.';
comment on column report.reading is 'Its text as facts were read from it, and what was found in its files; encrypted as its content.';
comment on column report.held is 'A person has decided about it: it is never attached by itself again.';
comment on column report.tried_at is 'When it was last matched, or taken up to be: nobody else takes it up at the same time.';
