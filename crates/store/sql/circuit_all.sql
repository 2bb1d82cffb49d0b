-- The circuit of every rail.
select * from circuit order by rail
