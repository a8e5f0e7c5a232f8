@erp @needs:apps
Feature: Production's documents are in the sandbox when that is asked for, and only then
  Each instance of the ERP keeps its documents/ on a volume of its own. A reset leaves the sandbox's alone unless it is told
  `--documents`: then they are the same as production's to the last file, whose volume is mounted read-only for it.

  Background:
    Given a golden of production
    And the sandbox has production's documents

  Scenario: Documents stay as the agent left them until a reset is asked for them, and are production's then
    When an agent adds, replaces and deletes documents over the sandbox's API
    And the sandbox is reset to that golden
    Then the sandbox's documents are as the agent left them
    When the sandbox is reset to that golden with "--documents"
    Then the reset says "(1 added, 1 changed, 2 removed)"
    And the sandbox's documents are exactly production's, and it serves them
    And production's documents are as before

  Scenario: A reset that is killed while it copies documents is gone on with, documents and all
    Given an agent adds, replaces and deletes documents over the sandbox's API
    When a reset to that golden with "--documents" is killed while "copying"
    Then `npm run reset -- --status` calls the sandbox half-reset and says how to go on
    When the sandbox is reset to that golden
    Then the sandbox's documents are exactly production's, and it serves them
    And production's documents are as before
