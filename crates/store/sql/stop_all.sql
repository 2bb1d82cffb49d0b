-- Every switch that is thrown, with its reason.
select name, reason from stop order by name
