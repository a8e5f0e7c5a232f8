@needs:backups @capability:ssh
Feature: What was backed up can be restored from nothing
  Databases, etcd, Vault and the storage's volumes are dumped to the bucket on a schedule. A backup counts when something came
  back from it: each is restored here into an empty server or volume of its own, beside the live one.

  Scenario Outline: A backup of <what> is whole
    When a backup of <what> is made
    Then every object of it is as its manifest says
    And its manifest was written last

    Examples:
      | what     |
      | postgres |
      | etcd     |
      | vault    |

    @needs:documents
    Examples:
      | what    |
      | volumes |

  Scenario: Old backups of etcd are removed
    Given the bucket holds ten backups of etcd from 1970
    When a backup of etcd is made
    Then no more than eight backups of etcd are kept

  @needs:apps
  Scenario: Every database comes back in an empty Postgres
    When a backup of postgres is made
    And it is restored into an empty Postgres
    Then every database of it has the content of its backup
    And production’s ERP has as many rows there as where it was dumped

  @needs:apps
  Scenario: The cluster’s objects come back in an empty etcd
    When a backup of etcd is made
    And it is restored into an empty etcd
    Then it holds every namespace and every Application of the cluster

  @needs:apps
  Scenario: Vault comes back with the sandbox’s own key shares
    When a backup of vault is made
    And it is restored into an empty Vault
    Then the key shares open it, and it holds every instance’s configuration and policies

  @needs:documents
  Scenario: Old backups of volumes are removed, but no block that a kept one needs
    Given the bucket holds ten backups of volumes from 1970
    When a backup of volumes is made
    Then no more than eight backups of volumes are kept
    And the bucket has every block of the kept ones, and no other

  @needs:documents
  Scenario: A volume comes back in an empty one
    When the app is given a file
    And a backup of volumes is made
    And the volume of the app "documents" is restored beside the live one
    Then it holds the same files as the live one

  @needs:documents
  Scenario: A backup that was changed in the bucket is refused
    When a backup of volumes is made
    And a copy of that of the app "documents" has a block changed in the bucket
    And a volume is made from the copy
    Then the storage refuses it and says which block
    And no pod gets that volume
