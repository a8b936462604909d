-- Days on which people work or not otherwise than the calendar of `holidays` has it.
-- pre

create table calendar_day (
  day date primary key,
  working boolean not null,
  note text
);
comment on table calendar_day is 'Imported days of the production calendar, whole years at a time: they win over the package holidays, and a year with rows is known.';
