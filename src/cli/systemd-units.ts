/** The units by which systemd starts the engine, or the keeper of another engine: pure text. */
import { list } from '../lib/text.ts'

export interface Unit {
  /** "tscompose-engine.service". */
  readonly name: string
  readonly text: string
}

/** Program and arguments as systemd reads them (systemd.syntax(7), systemd.service(5): % and $ are its own). */
export function execLine(words: readonly string[]): string {
  return words
    .map(word => word.replaceAll('%', '%%').replaceAll('$', '$$$$'))
    .map(word => (/^[\w@%+=:,./$-]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`))
    .join(' ')
}

/** `hasSocket`: it is started by who connects to the socket of `engineSocketUnit`, and takes that over. */
export function engineUnit(
  command: readonly string[],
  { hasSocket = false }: { readonly hasSocket?: boolean } = {},
): Unit {
  const requires = hasSocket ? '\nRequires=tscompose-engine.socket' : ''
  return {
    name: 'tscompose-engine.service',
    text: `[Unit]
Description=tscompose engine, and the keeper of its stacks
Wants=network-online.target
After=network-online.target${requires}

[Service]
Type=exec
ExecStart=${execLine(command)}
# containers and their monitors go on when the engine ends; the next one takes them over
KillMode=process
Delegate=yes
Restart=always
RestartSec=1
LimitNOFILE=1048576
TasksMax=infinity
OOMScoreAdjust=-500

[Install]
WantedBy=multi-user.target
`,
  }
}

/** Who may use the engine is who may open the file: root and its group. */
export function engineSocketUnit(): Unit {
  return {
    name: 'tscompose-engine.socket',
    text: `[Unit]
Description=Socket of the tscompose engine

[Socket]
ListenStream=/run/tscompose/engine.sock
SocketMode=0660
DirectoryMode=0755
RemoveOnStop=yes

[Install]
WantedBy=sockets.target
`,
  }
}

export interface KeeperUnit {
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  /** The engine's, as text. */
  readonly host: string
}

/** For an engine that keeps no companions. */
export function keeperUnit({ command, environment, host }: KeeperUnit): Unit {
  const variables = Object.entries(environment)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `Environment=${execLine([`${name}=${value}`])}\n`)
  return {
    name: 'tscompose-keeper.service',
    text: `[Unit]
Description=tscompose keeper of the stacks at ${host.replaceAll('%', '%%')}
Wants=network-online.target
After=network-online.target docker.service

[Service]
Type=exec
${variables.join('')}ExecStart=${execLine(command)}
RuntimeDirectory=tscompose
RuntimeDirectoryPreserve=yes
# 0: no stack needs it any more
Restart=on-failure
RestartSec=1

[Install]
WantedBy=multi-user.target
`,
  }
}

/** "tscompose-engine.service and tscompose-keeper.service". */
export function namesOf(units: readonly Unit[]): string {
  return list(units.map(({ name }) => name))
}
