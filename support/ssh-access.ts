import { chosenConfiguration } from './configuration/read';
import { secretPath } from './paths';

/** How the operator logs in to the sandbox's machines. */
export interface SshAccess {
  user: string;
  /** Private key and the host keys that are trusted: files. */
  key: string;
  knownHosts: string;
}

/** As the target's configuration says; the lab's own otherwise. */
export function sshAccess(): SshAccess {
  const chosen = chosenConfiguration();
  const configuration = chosen !== undefined && 'read' in chosen ? chosen.read.configuration : undefined;
  const ssh = configuration?.target === 'vms' ? configuration.ssh : undefined;
  return {
    user: ssh?.user ?? 'root',
    key: ssh?.key ?? secretPath('ssh/id_ed25519'),
    knownHosts: ssh?.known_hosts ?? secretPath('ssh/known_hosts'),
  };
}
