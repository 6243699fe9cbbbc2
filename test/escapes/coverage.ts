/** Every entry of the catalogue of escapes (../shared/security/ESCAPES.md) → the tests that try it, or why there is nothing to try. */

/** A file below test/, and the beginning of the name of a test in it (or of the template that names several). */
export type Tried = readonly [file: string, test: string]

export interface Untried {
  /** What the engine does not have, or who else is responsible. */
  readonly none: string
}

const at =
  (file: string) =>
  (name: string): Tried => [file, name]
const entering = at('scenario/escape/entering.test.ts')
const mounts = at('scenario/escape/mounts.test.ts')
const files = at('scenario/escape/files.test.ts')
const paths = at('scenario/escape/paths.test.ts')
const settings = at('scenario/escape/image-settings.test.ts')
const builds = at('scenario/escape/builds.test.ts')
const floods = at('scenario/escape/floods.test.ts')
const network = at('scenario/escape/network.test.ts')
const isolation = at('scenario/isolation.test.ts')
const userNamespace = at('scenario/user-namespaces.test.ts')
const start = at('kernel/runtime-start.test.ts')
const hostile = at('http/hostile.test.ts')
const unpack = at('engine/images/unpack.test.ts')
const load = at('engine/images/load.test.ts')
const pull = at('engine/images/pull.test.ts')

export const tried: Readonly<Record<string, readonly Tried[] | Untried>> = {
  A1: [entering('a container ${what} watches'), at('runtime/compile.test.ts')('enters the pid namespace last')],
  A2: [entering('a container ${what} watches'), entering('an image whose program is /proc/self/exe')],
  A3: [
    paths('the working directory is a descriptor'),
    settings('${what}'),
    start('leaks no descriptor'),
    start('refuses a working directory that leads out'),
    at('kernel/runtime-exec.test.ts')('refuses a host folder as working directory'),
  ],
  A4: [entering('what is set of capabilities is inherited by nobody'), isolation('leaves an init no rights')],
  A5: [entering('what is set of capabilities is inherited by nobody')],
  A6: [paths('users are numbers that are names'), entering('users of exec are numbers or names')],
  A7: [entering('groups of a user are those of the image')],
  A8: [
    entering('files of users and groups without end'),
    paths('users are numbers that are names'),
    at('engine/base/merged-tree.test.ts')('reads no fifo, no device and nothing larger'),
  ],
  A9: [
    entering('messages too long for their fields'),
    at('kernel/decode-refuses.test.ts')('refuses what is out of bounds'),
  ],
  A10: [
    entering('control characters of a container drive no terminal'),
    at('cli/log-lines.test.ts')('lets colours of a container through'),
    paths('names that are paths, markup or nothing'),
    isolation("is nowhere weaker than Docker's: ${setting}"),
  ],
  A11: [entering('forty containers made at once')],
  A12: [entering('variables and libraries of an image'), files('archives in every compression'), settings('${what}')],
  A13: [entering('variables and libraries of an image'), files('archives in every compression')],
  A14: [floods('readers that stand still'), floods('two hundred clients attach'), floods('a storm of execs')],
  A15: [mounts('devices of the image are links'), paths('/${place} of the image is a link'), settings('${what}')],

  B1: [
    paths('a mount point is in /proc'),
    at('kernel/runtime-mounts.test.ts')('binds files, mounts tmpfs with its options, and refuses targets in procfs'),
  ],
  B2: [paths('a mount point is in /proc'), mounts('settings of the kernel')],
  B3: [
    mounts('settings of the kernel'),
    mounts('a volume at /dev'),
    at('runtime/compile.test.ts')('refuses paths in disguise'),
  ],
  B4: [mounts('devices of the image are links'), mounts('a volume at /dev')],
  B5: [
    mounts('devices of the image are links'),
    mounts('a volume at /dev'),
    at('kernel/escape-monitor.test.ts')('gives a terminal its console'),
  ],
  B6: [paths('/${place} of the image is a link')],
  B7: [mounts('streams that are files of the host')],
  B8: [mounts('a mount point in a volume, swapped')],
  B9: [mounts('mount points, working directory and volumes'), paths('the files the engine binds over')],
  B10: [
    isolation("is nowhere weaker than Docker's: ${setting}"),
    userNamespace('the probe finds it strictly stronger'),
  ],
  B11: [isolation("is nowhere weaker than Docker's: ${setting}")],
  B12: [
    isolation("is nowhere weaker than Docker's: ${setting}"),
    start('refuses mount and unshare by seccomp, and hides what is masked'),
  ],
  B13: [isolation("is nowhere weaker than Docker's: ${setting}")],
  B14: [mounts('what a privileged container mounts'), isolation("is nowhere weaker than Docker's: ${setting}")],
  B15: [mounts('limits are in force in the group')],
  B16: [mounts('nothing of the host is mounted')],

  C1: [
    paths('files are copied in and out while'),
    at('engine/containers/archive.test.ts')('a link in a container never leads a write'),
  ],
  C2: [files('archives in every compression')],
  C3: [files('modes and owners that are copied in')],
  C4: [files('archives in every compression')],
  C5: [files('the folder above a volume is swapped')],
  C6: [
    files('files change their kind while'),
    paths('files are copied into a container that does not run'),
    load('leaves nothing of a root that reaches out'),
  ],
  C7: [
    files('volumes are filled from folders'),
    at('engine/volumes/volumes.test.ts')('follows a link on the way to the folder inside the image only'),
  ],
  C8: [files('commit, export and diff tell of links')],

  D1: [unpack('${what}'), unpack('keeps an absolute name inside'), load('refuses ${what} and leaves nothing')],
  D2: [
    unpack('${what}'),
    unpack('whose header announces a negative size'),
    unpack('replaces an earlier entry of the same name'),
  ],
  D3: [
    unpack('${what}'),
    unpack('turns whiteouts and opaque marks'),
    unpack('reports an opaque mark on the layer root'),
  ],
  D4: [
    load('refuses a gzip bomb'),
    unpack('with more bytes, entries or depth'),
    pull('refuses layers that are bombs'),
    pull('gives up documents without end'),
  ],
  D5: [pull('refuses what a registry lies about')],
  D6: [load('refuses ${what} and leaves nothing')],
  D7: [load('refuses ${what} and leaves nothing'), pull('refuses what a registry lies about')],
  D8: [
    pull('sends no credentials to a token service'),
    pull('follows a redirect of a blob to another origin'),
    at('engine/images/registry-access.test.ts')('credentials that name another registry'),
  ],
  D9: [
    load('load() says which image loses its name'),
    pull('by digest refuses another manifest'),
    at('engine/build/files/digest.test.ts')('counts the texts of the Dockerfile'),
  ],
  D10: [load('keeps layers from everybody but root'), files('the folders of the engine are closed')],
  D11: [settings('${what}')],
  D12: [files('the folders of the engine are closed'), load('keeps layers from everybody but root')],
  D13: [unpack('keeps file capabilities and drops attributes')],
  D14: [
    at('engine/build/files/downloads.test.ts')('goes by the proxy of the build'),
    at('engine/images/auth.test.ts')('refuses anything else without repeating the secret'),
  ],

  E1: [builds('mounts of a command take what is in their source')],
  E2: [builds('mount points of a command lie in its root'), builds('a command that changes its folders for links')],
  E3: [
    builds('rights beyond those of a container'),
    at('engine/build/builder.test.ts')('needs to be allowed the network of the host'),
  ],
  E4: [
    builds('what the first line of a Dockerfile names'),
    at('engine/buildkit/mirrors.test.ts')('cannot name what is outside'),
  ],
  E5: [
    at('engine/build/files/git-fetch.test.ts')('refuses what is no repository'),
    at('engine/build/files/git-fetch.test.ts')('runs no hook'),
  ],
  E6: [
    builds('a Dockerfile, an ignore file and what is copied'),
    at('engine/build/files/remote-context.test.ts')('refuses an archive that reaches out'),
  ],
  E7: { none: 'stacks are not read from registries: include and extends take files alone' },

  F1: [network('a container on the network of the host sees no socket')],
  F2: [at('audit/audit.test.ts')('${fields}')],
  F3: [
    paths('names that are paths, markup or nothing'),
    paths('a NUL in a path or a word'),
    hostile('a path leads to exactly one endpoint'),
  ],
  F4: [floods('output without end'), start('cuts lines at 16 KiB')],
  F5: [floods('a storm of execs'), floods('containers that are born and die'), paths('folders nested without end')],
  F6: [paths('an engine killed while it starts'), at('scenario/engine-killed.test.ts')('learns the exit code')],
  F7: [hostile('requests with two lengths'), hostile('a flood of headers'), hostile('a client that never finishes')],

  G1: [hostile('over TCP a browser gets nothing')],
  G2: [hostile('over TCP a browser gets nothing'), hostile('what is no JSON of the right kind')],
  G3: [network('the API is at no address'), hostile('plain TCP is refused')],
  G4: [at('http/tls.test.ts')('lets nobody in without one, with one of another authority')],
  G5: {
    none: 'there is no authorization beside the socket and client certificates, so that nobody decides on other bytes than are done',
  },
  G6: [
    at('http/listening.test.ts')('the socket is for root and its group only'),
    at('scenario/rootless.test.ts')('what it keeps is for nobody else'),
  ],
  G7: [hostile('a path leads to exactly one endpoint'), hostile('a method in a header')],

  H1: [
    network('a neighbour, other networks and the host'),
    at('kernel/network-bridge.test.ts')('a port published on loopback'),
  ],
  H2: [
    at('engine/networks/firewall.test.ts')('writes the table anew, and says so, when it was flushed'),
    at('scenario/kernel-objects.test.ts')('of the firewall is there again'),
  ],
  H3: [
    network('a neighbour, other networks and the host'),
    at('kernel/network-bridge.test.ts')('an internal network has no way out'),
  ],
  H4: [network('IPv6 is off where it was not asked for'), at('runtime/network.test.ts')('keeps IPv6 off on a bridge')],
  H5: [network('what listens on the loopback of the host'), network('a neighbour, other networks and the host')],
  H6: { none: 'the engine has no overlay network of its own' },
  H7: [at('scenario/rootless.test.ts')("a published port shows the client's own address")],
  H8: [at('kernel/runtime-network.test.ts')('keeps isolated ports apart')],
  H9: [network('rules cannot be told by names'), at('engine/networks/firewall.test.ts')('refuses ${')],
  H10: [network('a neighbour, other networks and the host')],
  H11: [network('rules cannot be told by names')],
  H12: {
    none: 'as with Docker, addresses of the machine’s own links are reached from containers; an internal network reaches none',
  },

  I: [
    isolation("is nowhere weaker than Docker's: ${setting}"),
    at('runtime/profile.test.ts')('never allows io_uring'),
    at('runtime/profile.test.ts')('looks at 32 bits'),
  ],
}
