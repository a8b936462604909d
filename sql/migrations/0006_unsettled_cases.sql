-- The list of cases begins with those that wait for somebody: few among very many.
-- pre

create index support_case_unsettled on support_case (opened_at desc, number desc)
  where state not in ('resolved', 'closed');
