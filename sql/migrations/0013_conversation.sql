-- A report has a case before its transaction is found: which ones are still to be matched, whose they are.
-- pre

drop index report_unattached;
create index report_unattached on report (received_at)
  where status in ('needs_facts', 'suggested') and attached_by is null and not held;
create index report_customers on report using gin (customers);
comment on index report_customers is 'Each letter asks which cases its sender has written to.';
