@drill @needs:apps @needs:backups @capability:ssh
Feature: etcd cannot open its data, and the runbook restores it from the backup
  The newest backup of the bucket brings the cluster back as it was then. What runs goes on meanwhile; the controllers look at
  everything anew. What was changed after the backup is lost, and said to be.

  @drill:etcd-damaged
  Scenario: The beginning of etcd’s database is overwritten
    When the drill "etcd-damaged" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | etcd is damaged    |
      | The apps come back |
    And the sandbox had recovered when the runbook ended
    And the journal names what was lost
    And the sandbox is in its steady state after the undo
    And the drill is survived
