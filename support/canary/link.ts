import type { Budget } from '../eventually';
import type { Finding } from '../finding';
import type { InstanceNames } from '../naming';
import type { Systems } from '../systems';
import type { Workspace } from './workspace';

/** The links of the new-web-app convention chain, in causal order: each needs all before it. */
export const linkNames = [
  'repository',
  'database',
  'vault-policies',
  'ci-role',
  'app-iac',
  'credentials',
  'application',
  'secret',
  'pod',
  'serving',
  'health',
] as const;
export type LinkName = (typeof linkNames)[number];

/** What the links of one run share. */
export interface CanaryContext {
  systems: Systems;
  names: InstanceNames;
  workspace: Workspace;
  /** The commit that registers the app with the app-of-apps, once it is made. */
  registration?: string;
  /** When Argo CD was asked last to compare the app-of-apps, in milliseconds since the epoch. */
  askedAt?: number;
}

/** One link: what makes it, what proves it, and what is likely wrong when the proof fails. */
export interface Link {
  name: LinkName;
  /** What the link is, for the report: "Database, owner role and grants". */
  title: string;
  act?: (context: CanaryContext) => Promise<void>;
  /** Observes and judges. Never changes what the act made. */
  check: (context: CanaryContext) => Promise<Finding[]>;
  /** Set where the state is reached by a controller some time after the act: the check is repeated until then. */
  budget?: Budget;
}

/** What became of a link. */
export interface LinkOutcome {
  name: LinkName;
  title: string;
  status: 'holds' | 'broken' | 'not reached';
  /** Seconds from the link's start to its verdict. */
  seconds: number;
  findings: Finding[];
}

/** What became of the chain. `brokenAt` is the first link that does not hold. */
export interface ChainResult {
  instance: string;
  seconds: number;
  links: LinkOutcome[];
  brokenAt?: LinkName;
  likelyCause?: string;
}
