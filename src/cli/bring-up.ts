/** The road of up, create, scale and plan: the stack and the engine side by side, what is there, the difference. */
import type { ReadAgain } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import type { Recorder } from '../history/recorder.ts'
import { list } from '../lib/text.ts'
import type { Project } from '../model/project.ts'
import type { Plan } from '../plan/plan.ts'
import type { LoadedStack } from '../stack/load.ts'
import { forgetIsolated } from '../state/isolated.ts'
import type { Convergence } from '../targets/engine/converge.ts'
import type { EnginePlan } from '../targets/engine/engine-plan.ts'
import type { Observed } from '../targets/engine/observed.ts'
import type { PullWhen } from '../targets/engine/plan/images.ts'
import type { UpOptions } from '../targets/engine/plan/reconcile.ts'
import { type Applied, applyPlan } from './apply-plan.ts'
import type { Call } from './command.ts'
import { answers, confirm } from './confirm.ts'
import { isolatedOption, stateOf } from './isolation.ts'
import { wishOf } from './keeping.ts'
import { type OptionTable, usage, type Values } from './options.ts'
import { adoptOption, checkOwner } from './owner.ts'
import { checkServices, type LoadChoices, loadProject } from './project.ts'
import { isTruth } from './values.ts'

/** The options that say what is to be, common to up, create and plan. */
export const upOptions = {
  scale: {
    kind: 'list',
    value: 'SERVICE=N',
    about: 'N replicas of SERVICE, whatever the stack says; repeat for several',
  },
  'force-recreate': { kind: 'flag', about: 'Recreate containers that have not changed' },
  'no-recreate': { kind: 'flag', about: 'Keep containers that have changed' },
  'always-recreate-deps': { kind: 'flag', about: 'Recreate dependencies too' },
  'remove-orphans': {
    kind: 'flag',
    variable: 'COMPOSE_REMOVE_ORPHANS',
    about: 'Remove containers of services the stack no longer has',
  },
  'no-deps': { kind: 'flag', about: 'Leave out what the named services depend on' },
  pull: {
    kind: 'text',
    value: 'WHEN',
    choices: ['always', 'missing', 'never', 'policy'],
    about: 'When to pull images, instead of pull_policy',
  },
  'renew-anon-volumes': {
    kind: 'flag',
    short: 'V',
    about: 'Recreate containers with new anonymous volumes, without the data of the old ones',
  },
  'recreate-volumes': {
    kind: 'flag',
    about: 'Remove and make again volumes that have changed, with loss of their data',
  },
  timeout: { kind: 'number', short: 't', value: 'SECONDS', about: 'Grace before a container is killed' },
  build: { kind: 'flag', about: 'Build images that are here too' },
  'no-build': { kind: 'flag', about: 'Build no image, though it is missing' },
  ...adoptOption,
  ...isolatedOption,
  'quiet-build': { kind: 'flag', about: 'Build without showing the steps' },
} as const satisfies OptionTable

/** Of targets whose nodes pull. */
export const pushOption = {
  push: { kind: 'flag', about: 'Build the images anew, and push them for the nodes (targets swarm, kubernetes)' },
} as const satisfies OptionTable

export function refusePush({ push }: Values<typeof pushOption>): void {
  if (push) throw usage('--push is for targets whose nodes pull', 'Add --target swarm or kubernetes, or use "push"')
}

type UpValues = Values<typeof upOptions>

/** What the command line asks for: the stack, and what of it is to be how. */
export interface Wanted {
  readonly loaded: Pick<LoadedStack, 'project'>
  readonly client: Client
  /** Those named on the command line; undefined for all. */
  readonly services: readonly string[] | undefined
  readonly options: UpOptions
  /** @throws Failure when what is there is another checkout's */
  accept?(observed: Observed): void
  /** Keeps what later commands in the folder must know, once the stack may be brought up. */
  settle?(): void
  /** Every file that was read for it, or looked for in vain; undefined for what was not read but kept. */
  readonly files?: readonly string[]
  /** The keeper watches it from then on. */
  readonly watch?: ReadAgain
  /** How it was read, to read it again; undefined for what was not read but kept. */
  readonly choices?: LoadChoices
}

/** What can be read again. */
export interface WantedAgain extends Wanted {
  readonly files: readonly string[]
  readonly choices: LoadChoices
}

/** Reads the stack and the options; `more` wins over what the options say. */
export async function wantedOf(call: Call, values: UpValues, more: UpOptions = {}): Promise<WantedAgain> {
  refuse(values)
  const named = more.services ?? call.args
  const scale = parseScale(values.scale)
  const { adopt, isolated } = values
  const choices: LoadChoices = {
    ...(named.length > 0
      ? { services: named, making: { services: named, alone: values['no-deps'] } }
      : { making: { services: 'all' } }),
    adopt,
    isolated,
  }
  const files = new Set<string>()
  const [read, client] = await Promise.all([
    loadProject(call, { ...choices, portsOfFiles: true, onRead: path => files.add(path) }),
    call.connect(),
  ])
  const { loaded, settle } = read.isolated
    ? await (await import('./isolated-ports.ts')).withFreePorts(call, client, { loaded: read, isolated: read.isolated })
    : { loaded: read, settle: adopt ? () => forgetIsolated(read.project.directory, stateOf(call)) : undefined }
  const known = Object.keys(loaded.project.services)
  const services = checkServices(named, known)
  checkServices(Object.keys(scale), known)
  const pull = values.pull === undefined || values.pull === 'policy' ? undefined : (values.pull as PullWhen)
  const options: UpOptions = {
    ...(services ? { services } : {}),
    noDeps: values['no-deps'],
    scale,
    recreate: recreationOf(values),
    recreateDependencies: values['always-recreate-deps'],
    recreateVolumes: values['recreate-volumes'] || undefined,
    removeOrphans: values['remove-orphans'],
    quietOrphans: isTruth(call.env['COMPOSE_IGNORE_ORPHANS'] ?? ''),
    ...(pull === undefined ? {} : { pull }),
    build: values.build ? 'always' : values['no-build'] ? 'never' : undefined,
    renewAnonVolumes: values['renew-anon-volumes'],
    ...(values.timeout === undefined ? {} : { timeout: values.timeout }),
    ...more,
  }
  const { project } = loaded
  const otherwise = 'run this one beside it with --isolated'
  return {
    loaded,
    client,
    services,
    options,
    files: [...files],
    choices,
    accept: observed => checkOwner(call, observed, { host: client.host, project, adopt, verb: 'bring up', otherwise }),
    settle,
  }
}

/** As with Compose, new anonymous volumes are for new containers. */
export function recreationOf(
  values: Pick<UpValues, 'force-recreate' | 'no-recreate' | 'renew-anon-volumes'>,
): NonNullable<UpOptions['recreate']> {
  if (values['no-recreate']) return 'never'
  return values['force-recreate'] || values['renew-anon-volumes'] ? 'always' : 'diverged'
}

export interface BringUp extends Pick<Applied, 'waitTimeout' | 'signal' | 'beforeStart' | 'onOutput'> {
  /** -y. */
  readonly yes: boolean
  /** What the history calls it; up when nothing is said. */
  readonly command?: string
  /** The apply that is gone back to. */
  readonly to?: number
  /** What has to be done first, when it is this one's turn; false ends it. */
  readonly before?: (recorder: Recorder) => Promise<boolean>
  /** A snapshot is taken before an image of a service with volumes changes. */
  readonly snapshot?: boolean
  /** Instead of the question before data is lost. */
  readonly ask?: (plan: Plan) => Promise<boolean>
  /** Called when a live list is about to cover the terminal, until it has ended. */
  readonly hold?: (shown: Promise<unknown>) => void
}

/** Goes the road, to its end though the terminal be closed; false when a person said no. */
export async function bringUp(call: Call, wanted: Wanted, more: BringUp): Promise<boolean> {
  const wish = wishOf(call, wanted)
  const agreed = new Set<string>()
  const ask = wish.after(more.ask ?? (plan => confirm(call, plan, { yes: more.yes, agreed })))
  // a look at what would be done asks nobody
  const renew = more.ask || call.globals['dry-run'] ? undefined : volumesToRenew(call, agreed)
  return await wish.during(() => walk(call, wanted, { ...more, ask, renew }))
}

/** Asks for each changed volume, in Compose's words; who says yes has `agreed` to lose what is in it. */
function volumesToRenew(call: Call, agreed: Set<string>): NonNullable<Convergence['renew']> {
  return async volumes => {
    for (const name of volumes) {
      const question = `Volume "${name}" exists but doesn't match configuration in compose file. Recreate (data will be lost)?`
      if (await answers(call, question)) agreed.add(name)
    }
    return agreed
  }
}

async function walk(
  call: Call,
  { loaded, client, options, accept, settle }: Wanted,
  {
    ask,
    renew,
    before,
    snapshot,
    hold,
    command = 'up',
    to,
    ...applied
  }: BringUp & Required<Pick<BringUp, 'ask'>> & Pick<Convergence, 'renew'>,
): Promise<boolean> {
  using _unseen = call.interrupts.endure()
  const [{ converge }, { applying }] = await Promise.all([
    import('../targets/engine/converge.ts'),
    import('./applying.ts'),
  ])
  const { project } = loaded
  const { services, scale } = options
  const apply = { client, command, name: project.name, project, services, scale, to }
  return await applying(call, apply, async recorder => {
    if (before && !(await before(recorder))) return false
    return await converge({
      client,
      project,
      options,
      dryRun: call.globals['dry-run'],
      signal: applied.signal ?? call.signal,
      accept: observed => {
        accept?.(observed)
        if (!call.globals['dry-run']) settle?.()
      },
      renew,
      confirm: ask,
      carryOut: async (plan, observed) => {
        if (snapshot) await snapshotBefore(call, { client, project, plan, observed })
        recorder.plan(plan, observed)
        // what waits is followed by its output, not by a list
        const live = hold === undefined || !plan.nodes.some(({ operation }) => operation.kind === 'wait-container')
        const work = applyPlan(call, { ...applied, plan, client, stack: project, nothing: 'no changes', live })
        if (live) hold?.(work)
        await work
      },
    })
  })
}

interface Due extends Pick<Wanted, 'client'> {
  readonly project: Project
  readonly plan: EnginePlan
  readonly observed: Observed
}

/** Where the plan gives a service that has volumes another image. */
async function snapshotBefore(call: Call, { client, project, plan, observed }: Due): Promise<void> {
  const { dataWithNewImage } = await import('../targets/engine/plan/data-images.ts')
  const services = dataWithNewImage(plan, project, observed)
  if (services.length === 0) return
  const cause = `before another image of ${list(services)}`
  if (call.globals['dry-run']) return call.screen.say(`A snapshot would be taken ${cause}`)
  const { take } = await import('./snapshots-of.ts')
  await take(call, { client, project, observed, name: undefined, cause, meanwhile: 'paused' })
}

function refuse(values: UpValues): void {
  if (values['force-recreate'] && values['no-recreate'])
    throw usage('--force-recreate and --no-recreate are incompatible')
  if (values['always-recreate-deps'] && values['no-recreate'])
    throw usage('--always-recreate-deps and --no-recreate are incompatible')
  if (values.adopt && values.isolated) throw usage('--adopt and --isolated exclude each other')
  if (values.build && values['no-build']) throw usage('--build and --no-build are incompatible')
}

/** `web=3` → { web: 3 }. */
export function parseScale(list: readonly string[]): Readonly<Record<string, number>> {
  const scale: Record<string, number> = Object.create(null)
  for (const each of list) {
    const match = /^([^=]+)=(\d+)$/.exec(each)
    if (!match) throw usage(`invalid scale specifier: ${each}`, 'It should be SERVICE=N')
    scale[match[1]!] = Number(match[2])
  }
  return scale
}
