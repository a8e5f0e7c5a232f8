import { ArgoCdClient } from './argocd/client';
import { BucketClient, connectStateBucket } from './backups/client';
import { connectGitea, type GiteaClient } from './gitea/client';
import { readInventory, type Inventory } from './inventory';
import { connectKubernetes, type KubernetesClient } from './kubernetes/client';
import { connectPostgres, type PostgresClient } from './postgres/client';
import { TofuClient } from './tofu/client';
import { connectVault, type VaultClient } from './vault/client';

/** A client of every product the convention chain runs through. */
export interface Systems {
  inventory: Inventory;
  kubernetes: KubernetesClient;
  argocd: ArgoCdClient;
  vault: VaultClient;
  postgres: PostgresClient;
  gitea: GiteaClient;
  states: BucketClient;
  tofu: TofuClient;
}

/** Connects to the sandbox with the operator's credentials. @throws OperatorError when one of them is missing. */
export function connectSystems(inventory: Inventory = readInventory()): Systems {
  const kubernetes = connectKubernetes();
  return {
    inventory,
    kubernetes,
    argocd: new ArgoCdClient(kubernetes),
    vault: connectVault(inventory),
    postgres: connectPostgres(inventory),
    gitea: connectGitea(inventory),
    states: connectStateBucket(inventory),
    tofu: new TofuClient(inventory),
  };
}
