-- Sets and clears the bonus marks of top-ups.
--
-- $1 ids, $2 marks.
update top_up
   set bonus = it.bonus
  from unnest($1::uuid[], $2::boolean[]) as it (id, bonus)
 where top_up.id = it.id
   and top_up.bonus <> it.bonus
