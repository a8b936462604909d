-- What went wrong and when: reports are mostly about that, and it is a small part of all.
-- pre

create index transaction_troubled on transaction (started_at desc) where judged::text <> '{}';
comment on index transaction_troubled is 'Changes only when a money rule finds something.';
