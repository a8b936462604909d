-- What a person has decided about a report beside its case: that it is a customer's, or about none of these.
-- pre

alter table report
  add column released_by text,
  add column released_at timestamptz,
  add column none_by text,
  add column none_at timestamptz,
  add constraint report_released check ((released_by is null) = (released_at is null)) not valid,
  add constraint report_none check ((none_by is null) = (none_at is null)) not valid;
comment on column report.released_by is 'Who said that a customer wrote it: it is never set aside by itself again.';
comment on column report.none_by is 'Who said that it is about none of its candidates; attaching it takes that back.';
