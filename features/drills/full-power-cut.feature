@drill @needs:apps
Feature: All machines lose their power at once, and the runbook brings everything back, the ERP last
  A client writes while the power goes. Nothing that was acknowledged to it is lost; the ERP starts after everything else.

  @drill:full-power-cut @capability:power-cut @capability:three-machines
  Scenario: Everything is cut under write load
    When the drill "full-power-cut" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section            |
      | Everything is off  |
      | Vault is sealed    |
      | The apps come back |
      | ERP comes last     |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
