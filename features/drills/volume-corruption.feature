@drill @needs:apps @needs:documents @capability:ssh
Feature: A volume was made again and looks empty, and the runbook finds its data
  A volume made again under the same name has a new engine and new replica folders; the data lies in the old ones, which
  nothing refers to. The runbook gives the folders back to the replicas; the corrupt ones are rebuilt from the one that is whole.

  @drill:volume-corruption
  Scenario: The volume is made again, two of its old replicas corrupt
    When the drill "volume-corruption" is run
    Then its fault was noticed
    And every step of these sections of the runbook passed:
      | section                        |
      | A volume has lost its replicas |
    And the sandbox had recovered when the runbook ended
    And the sandbox is in its steady state after the undo
    And the drill is survived
