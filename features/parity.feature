@parity @needs:apps @needs:pki
Feature: The sandbox is what production is
  A green run predicts production only where both run the same. The parity manifest says what production runs; a target
  may deviate only with a reason and a last day. Every value is asked of the running sandbox.

  Scenario: Every item matches production, or deviates as the target declares
    Given the parity manifest of the factory and the deviations the target declares
    When every item is observed on the running sandbox
    Then every item matches production or deviates as declared

  Scenario: Drift that nobody declared fails
    Given the parity manifest of the factory and the deviations the target declares
    But production runs "1.20.4" as its vault
    When every item is observed on the running sandbox
    Then the parity of vault fails as "undeclared drift"

  Scenario: A deviation whose last day has passed fails
    Given the parity manifest of the factory and the deviations the target declares
    But production runs "1.20.4" as its vault
    And the target declares "1.21.0" as its vault until "2026-01-31"
    When every item is observed on the running sandbox
    Then the parity of vault fails as "expired deviation"

  Scenario: A declared deviation that is no longer observed fails
    Given the parity manifest of the factory and the deviations the target declares
    But the target declares "1.20.4" as its vault until "2099-12-31"
    When every item is observed on the running sandbox
    Then the parity of vault fails as "deviation no longer observed"
