@needs:documents @capability:ssh @capability:three-machines
Feature: What an app writes lies on three machines, and damage to it is noticed and mended
  A volume has a replica on every machine. What was acknowledged is in all of them; a replica whose blocks do not have the
  checksum they were written with is taken out of use and rebuilt from the others.

  Scenario: A file of an app lies in a replica on every machine
    Given the volume of the app "documents" is healthy
    When the app is given a file
    Then its content lies in a replica on each of the three machines

  Scenario: Corrupt replicas are noticed and rebuilt
    Given the volume of the app "documents" is healthy
    When the app is given a file
    And bytes of it are overwritten in two replicas
    Then both are noticed to be corrupt
    And the volume is healthy again
    And the app serves the file as it was

  @needs:vault
  Scenario: Vault’s own data outlives damage to two of its replicas
    Given the volume of Vault’s data is healthy
    When Vault is given a policy
    Then its content lies in a replica on each of the three machines
    When bytes of it are overwritten in two replicas
    Then both are noticed to be corrupt
    And the volume is healthy again
    And Vault has the policy as it was
