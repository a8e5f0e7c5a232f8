@drill @needs:apps @needs:documents @needs:backups @capability:ssh
Feature: Nothing is left of a volume, and the runbook restores it from the backup
  The volume was deleted, and no machine has a replica of it. It is made again under its name and filled from its newest backup in
  the bucket, block by block with their checksums. What was written after the backup is lost, and said to be.

  @drill:volume-lost
  Scenario: The volume of an app is deleted, replicas and all
    When the drill "volume-lost" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section          |
      | A volume is lost |
    And the sandbox had recovered when the runbook ended
    And the journal names what was lost
    And the sandbox is in its steady state after the undo
    And the drill is survived
