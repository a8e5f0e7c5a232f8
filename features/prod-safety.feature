@erp @needs:apps
Feature: Nothing that the sandbox has can harm production
  The fence is who owns what and what credentials reach, not a rule or a habit (ADR-0003, section 3): it holds also when a
  command is misdirected.

  Background:
    Given production's content is known

  Scenario: Postgres refuses the sandbox's credentials everything in production
    Then each of these is refused to a user leased from "postgres/creds/erp-sandbox":
      | attempt                              |
      | drop production’s database           |
      | rename production’s database         |
      | take over production’s database      |
      | drop all that production’s role owns |
      | become production’s role             |
      | grant itself production’s role       |
      | make a database                      |
      | make a role                          |
      | end production’s sessions            |
      | connect to production                |
      | read a table of production           |
      | write a table of production          |
      | make a function in production        |
      | make a trigger in production         |
      | drop all it owns in production       |
    And production's content has not changed

  Scenario: The ERP refuses writes to production with the sandbox's key and with the agent's own account
    Then production answers 401 to every write with the agent's key of the sandbox
    And production answers 403 to every write with the agent's own key of production
    And the agent reads production with its own key
    And production's content has not changed

  Scenario: No standing credential can make or drop databases
    Then nobody but the provisioner of the human-gated run can log in with the power to make or drop databases

  Scenario: Two hundred attempts leave production as it was
    When 200 attempts are made with the sandbox's credentials and key
    Then all were refused
    And production's content has not changed

  Scenario: Nothing but erp-sandbox can be meant
    Then the guard refuses each of these hosts:
      | host                                        |
      | http://erp.arcodange.lab/                   |
      | http://erp.arcodange.lab:80/erp-sandbox.x   |
      | http://erp-sandbox@erp.arcodange.lab/       |
      | http://erp.arcodange.lab#erp-sandbox.x      |
      | http://erp-sandbox.evil.example/            |
      | http://xerp-sandbox.arcodange.lab/          |
      | http://erp-sandboxes.arcodange.lab/         |
      | http://ERP.arcodange.lab/                   |
      | http://10.43.0.1/                           |
      | http://192.168.1.201/                       |
    And a session in production's database is refused, whoever opened it
    And a reset under this environment resets the sandbox and nothing else:
      | variable         | value                                    |
      | DOLIBARR_TARGET  | prod                                     |
      | PGDATABASE       | erp                                      |
      | PGUSER           | postgres                                 |
      | PGOPTIONS        | -c search_path=pg_catalog -c role=pg_monitor |
      | PGSSLMODE        | require                                  |
    And production's content has not changed
