import { stoppedService } from '../fault';

/** Every repository is out of reach. */
export const giteaStopped = stoppedService('gitea-stopped', 'Gitea is stopped.', 'gitea', 'gitea');
