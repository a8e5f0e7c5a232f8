Feature: Nothing can reach production
  An allow-list decides: the sandbox's own networks and names, and this machine. Everything else is refused, production with
  a reason of its own. A second line under every socket, look-up and child process stops what got past the first.

  Scenario Outline: The guard refuses <address>
    When the guard is asked about "<address>"
    Then it refuses as "<kind>"

    Examples: Production, however it is spelled
      | address                             | kind               |
      | 192.168.1.201                       | production-address |
      | 0300.0250.0001.0312                 | production-address |
      | 0xC0A801CB                          | production-address |
      | 192.168.457                         | production-address |
      | [::ffff:c0a8:1c9]:6443              | production-address |
      | 64:ff9b::192.168.1.202              | production-address |
      | http://10.77.0.201@192.168.1.201/   | production-address |
      | http://%31%39%32.168.1.203./        | production-address |
      | postgres://u@10.77.0.202,0xc0a801ca | production-address |
      | https://WWW.Arcodange.FR./          | production-name    |

    Examples: Neither production nor the sandbox
      | address                   | kind       |
      | 192.168.1.200             | outside    |
      | https://example.org       | outside    |
      | sandbox.arcodange.fr.evil | outside    |
      | http://                   | unreadable |

  Scenario: The guard permits every machine and endpoint of the sandbox
    When the guard is asked about every machine and endpoint of the sandbox
    Then it permits them all

  Scenario Outline: Production planted in the <document> is refused
    Then production planted in the <document> is refused as "<kind>"

    Examples:
      | document          | kind               |
      | kubeconfig        | production-address |
      | inventory         | production-address |
      | connection string | production-address |
      | git remote        | production-address |
      | jump host         | production-address |
      | environment       | production-address |

  Scenario: Confined to the ERP's sandbox, its production instance is refused
    Then "https://erp-sandbox.arcodange.lab/api" is permitted where only "erp-sandbox" is meant
    But "https://erp.arcodange.lab/api" is refused there as "wrong-scope"

  Scenario Outline: The suite does not start in a shell that holds <variable>
    When the suite is started in a shell that holds "<variable>"
    Then it refuses to start, names "<variable>" and shows no value

    Examples:
      | variable                       |
      | CLOUDFLARE_API_TOKEN           |
      | ZOHO_REFRESH_TOKEN             |
      | OVH_APPLICATION_SECRET         |
      | GOOGLE_APPLICATION_CREDENTIALS |
      | VAULT_TOKEN                    |

  @needs:ansible
  Scenario: Every known way to production ends before a packet leaves
    Given a network without a way out, in which production’s addresses listen
    When every known way to production is tried there, with the boundary whole and with it broken on purpose
    Then with the boundary whole each is refused for the right reason and no packet arrives
    And with the boundary broken the listeners see every one of them
    And plays on an inventory that holds production end on every host before their first task

  @needs:apps @capability:ssh
  Scenario: The sandbox shares nothing with production
    Then every document the suite connects by leads to the sandbox alone
    And every state of OpenTofu lies under the sandbox’s prefix
    And Vault is the sandbox’s own, with a key file that only the operator can read
    And Postgres is the sandbox’s own
    And no credential of production lies anywhere in the sandbox

  @needs:machines @capability:counted-edge @last
  Scenario: No packet leaves the sandbox
    Then the sandbox’s edge has counted no packet to production or anywhere outside
