-- Gives the roles of compose.yaml their passwords, from psql's environment: nothing secret stands in a file or an argument.
\getenv all DATABASE_PASSWORD_ALL
\getenv api DATABASE_PASSWORD_API
\getenv operator DATABASE_PASSWORD_OPERATOR
alter role outflow_all password :'all';
alter role outflow_api password :'api';
alter role outflow_operator password :'operator';
