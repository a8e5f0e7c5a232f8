@drill @needs:apps
Feature: A machine loses its power, and the runbook brings it back
  First a machine that runs nothing but pods, then the one with the API server, etcd and Vault. Workloads are rescheduled
  and serve, nodes are Ready, no pod is stuck, and what etcd held is intact.

  @drill:node-kill-agent @capability:power-cut
  Scenario: An agent is cut
    When the drill "node-kill-agent" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | A machine is lost  |
      | The apps come back |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived

  @drill:node-kill-server @capability:power-cut
  Scenario: The server is cut
    When the drill "node-kill-server" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | The server is lost |
      | Vault is sealed    |
      | The apps come back |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
