-- Reports that nobody has understood yet are found each second without looking at the others.
-- pre

create index report_unread on report (tried_at nulls first, id) where reading is null;
comment on index report_unread is 'What the desk takes up first; a report leaves it when it is understood for the first time.';
