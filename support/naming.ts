import { distance } from 'fastest-levenshtein';

/** Every name that one instance of an app carries through the platform (ADR-0002, seed 003: `prod` elides). */
export interface InstanceNames {
  app: string;
  env: string;
  /** Namespace, ServiceAccount, database, Argo CD Application, runtime policy, Kubernetes auth role. */
  instance: string;
  /** Owner of the database: the one name in snake case. */
  ownerRole: string;
  /** Dynamic credentials in Vault. */
  credentialsPath: string;
  /** The role behind them. */
  credentialsRolePath: string;
  /** Key-value mount and the config's path in it. */
  configMount: string;
  configPath: string;
  opsPolicy: string;
  /** Role of the JWT auth mount that the repository's CI logs in to. */
  ciRole: string;
  /** Prefix of the app's OpenTofu state; `sandbox/` keeps it apart from production's. */
  statePrefix: string;
  /** Internal host name. */
  host: string;
}

/** The names of an app's instance. The app's own dashes stay dashes also in the owner role. */
export function namesOf(app: string, env = 'prod', domain = 'arcodange.lab'): InstanceNames {
  const instance = env === 'prod' ? app : `${app}-${env}`;
  return {
    app,
    env,
    instance,
    ownerRole: env === 'prod' ? `${app}_role` : `${app}_${env}_role`,
    credentialsPath: `postgres/creds/${instance}`,
    credentialsRolePath: `postgres/roles/${instance}`,
    configMount: 'kvv2',
    configPath: `${instance}/config`,
    opsPolicy: `${app}-ops`,
    ciRole: `gitea_cicd_${app}`,
    statePrefix: `sandbox/${app}/main`,
    host: `${instance}.${domain}`,
  };
}

/** The name among the candidates that somebody probably meant to be `wanted`: at most two letters off, not equal. */
export function nearMiss(wanted: string, candidates: readonly string[]): string | undefined {
  return candidates
    .map((candidate) => ({ candidate, letters: distance(wanted, candidate) }))
    .filter(({ letters }) => letters > 0 && letters <= 2)
    .sort((one, other) => one.letters - other.letters)[0]?.candidate;
}

/** A hint that names the near miss and where to look for the typo. */
export function typoHint(wanted: string, candidates: readonly string[], where: string): string {
  const near = nearMiss(wanted, candidates);
  return near === undefined
    ? `nothing of that name was made: look at ${where}`
    : `"${near}" exists instead of "${wanted}": a typo in ${where}`;
}
