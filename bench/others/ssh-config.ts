/** What the private server and its client are told; both know nothing of the user's own settings. */
export interface SshPlaces {
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
  readonly userKey: string;
  readonly authorizedKeys: string;
  readonly knownHosts: string;
}

/** sshd_config(5): keys only, this user only, loopback only, and no file outside the temporary folder. */
export function serverConfig(places: SshPlaces): string {
  return lines(
    `Port ${String(places.port)}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${places.hostKey}`,
    `AuthorizedKeysFile ${places.authorizedKeys}`,
    `AllowUsers ${places.user}`,
    'PermitRootLogin prohibit-password',
    'PubkeyAuthentication yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    // The key lies in a temporary folder, whose parent anybody may write to.
    'StrictModes no',
    'PidFile none',
    'Subsystem sftp internal-sftp',
  );
}

/** ssh_config(5). */
export function clientConfig(places: SshPlaces): string {
  return lines(
    'Host bench',
    'HostName 127.0.0.1',
    `Port ${String(places.port)}`,
    `User ${places.user}`,
    `IdentityFile ${places.userKey}`,
    'IdentitiesOnly yes',
    'IdentityAgent none',
    `UserKnownHostsFile ${places.knownHosts}`,
    'GlobalKnownHostsFile /dev/null',
    'StrictHostKeyChecking yes',
    'BatchMode yes',
  );
}

/** sshd(8), SSH_KNOWN_HOSTS FILE FORMAT: another port than 22 stands beside the name in brackets. */
export function knownHost(port: number, publicKey: string): string {
  return lines(`[127.0.0.1]:${String(port)} ${publicKey.trim()}`);
}

function lines(...texts: readonly string[]): string {
  return `${texts.join('\n')}\n`;
}
