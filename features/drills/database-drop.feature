@drill @needs:apps @needs:backups @capability:ssh
Feature: A database is dropped, and the runbook restores it from the backup
  The newest backup of the bucket brings it back with the content it had, by its hash. The app connects again by itself. What
  was written after the backup is lost, and said to be.

  @drill:database-drop
  Scenario: The database of the ERP sandbox
    When the drill "database-drop" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | A database is lost |
    And the sandbox had recovered when the runbook ended
    And the journal names what was lost
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:database-drop-app
  Scenario: The database of a whole app
    When the drill "database-drop-app" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | A database is lost |
    And the sandbox had recovered when the runbook ended
    And the journal names what was lost
    And the sandbox is in its steady state after the undo
    And the drill is survived
