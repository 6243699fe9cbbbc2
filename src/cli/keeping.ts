/** The keeper as commands see it: it steps back while a person's command is at work, and is told what a stack is to be. */
import type { HeldStack, ReadAgain } from '../api/keeper.ts'
import type { Client } from '../client/client.ts'
import { isFailure, messageOf } from '../lib/failure.ts'
import { list, printable } from '../lib/text.ts'
import { freeze } from '../model/frozen.ts'
import { reasonsToHold } from '../model/holding.ts'
import type { Project } from '../model/project.ts'
import type { Plan } from '../plan/plan.ts'
import type { UpOptions } from '../targets/engine/plan/reconcile.ts'
import type { Call } from './command.ts'
import type { LoadChoices } from './project.ts'

type Asking = Pick<Call, 'env' | 'screen' | 'globals'>

/** Screens on which it was said that nobody holds what is to be held. */
const told = new WeakSet<Call['screen']>()

/**
 * The keeper of the engine, when one runs; one of an older tscompose makes room for ours, and one that has died with all that started it again
 * comes back.
 */
export async function keeperOf(call: Asking, engine: Client): Promise<Client | undefined> {
  const { askKeeper, isOutdated } = await import('../holding/keeper.ts')
  const found = await askKeeper({ host: engine.host, env: call.env })
  if (!found) return await instead(call, engine)
  if (!isOutdated(found.status)) return found.client
  found.client.close()
  return await newKeeper(call, engine)
}

/** After a reboot it is systemd's, or the next `up`'s: what asks how things are does not bring up stacks. */
async function instead(call: Asking, engine: Client): Promise<Client | undefined> {
  const { lostKeeper } = await import('../holding/lost.ts')
  const lost = lostKeeper({ host: engine.host, env: call.env })
  if (!lost) return undefined
  const { screen, globals } = call
  const stacks = list(lost.stacks.map(name => `"${printable(name)}"`))
  if (lost.ranSinceBoot && !globals['dry-run']) {
    screen.warn(`The keeper, which holds ${stacks}, was ended: it is started again`)
    return await newKeeper(call, engine)
  }
  if (!told.has(screen))
    screen.warn(
      `Nobody holds ${stacks}${lost.ranSinceBoot ? '' : ' since the machine was started'}: "tscompose up" has it held again, "tscompose enable" after each start of the machine`,
    )
  told.add(screen)
  return undefined
}

async function newKeeper({ env, screen }: Asking, engine: Client): Promise<Client> {
  const { ensureKeeper } = await import('../holding/start.ts')
  const replaces = (version: string) =>
    screen.say(`The keeper was that of an older tscompose (contract ${printable(version)}): another has its place`)
  return await ensureKeeper({ host: engine.host, env, engine, replaces })
}

export interface TurnOf {
  readonly client: Client
  /** The project's name. */
  readonly name: string
  /** An `up`, which says itself what is wanted; otherwise what is stopped, paused and removed stays so. */
  readonly making: boolean
  /** Service → replicas that are asked for. */
  readonly scale?: Readonly<Record<string, number>> | undefined
}

/** Does `work` while nobody repairs the stack, neither the keeper, if there is one, nor a watch of somebody's. */
export async function inTurn<T>(call: Asking, of: TurnOf, work: (isKept: boolean) => Promise<T>): Promise<T> {
  const { client, name, making, scale } = of
  await using keeper = await keeperTurn(call, { client, name, by: making ? 'making' : 'turning' })
  const { turnAtWatch } = await import('../state/watch-seat.ts')
  await using _watch = await turnAtWatch({ host: client.host, project: name }, { making, scale })
  return await work(keeper !== undefined)
}

interface KeeperTurn extends Omit<TurnOf, 'making' | 'scale'> {
  readonly by: 'making' | 'turning' | 'watching'
}

/** The keeper does nothing to the stack from now until it is disposed of; undefined when there is no keeper. */
export async function keeperTurn(call: Asking, { client, ...of }: KeeperTurn): Promise<AsyncDisposable | undefined> {
  const keeper = await keeperOf(call, client)
  return keeper && (await openTurn(keeper, of))
}

/** From now until it is disposed of; the keeper's client is closed with it. */
async function openTurn(keeper: Client, { name, by }: Omit<KeeperTurn, 'client'>): Promise<AsyncDisposable> {
  const { keeperEndpoints } = await import('../api/keeper.ts')
  const query = { making: by === 'making', watching: by === 'watching' }
  const turn = await keeper.stream(keeperEndpoints.stackTurn, { params: { name }, query })
  const lines = turn[Symbol.asyncIterator]()
  await lines.next()
  return {
    async [Symbol.asyncDispose]() {
      // the end of the connection is the end of the turn
      await lines.return?.()
      keeper.close()
    },
  }
}

export interface Wish {
  readonly client: Client
  /** The whole of it, whatever was named. */
  readonly project: Project
  /** Those that are to run; undefined: all. */
  readonly services: readonly string[] | undefined
  readonly scale: Readonly<Record<string, number>> | undefined
  /** It is watched from now on; undefined: where it was before, by `files`. */
  readonly watch?: ReadAgain | undefined
  /** All that were read for it; undefined: it was not read, and what is watched no longer is. */
  readonly files?: readonly string[] | undefined
}

/**
 * Has the stack held where it needs that, and no longer where it does not. The keeper, which may have been started for it, does
 * nothing to the stack before the result is disposed of.
 */
export async function tellWish(call: Call, wish: Wish): Promise<AsyncDisposable> {
  const { client, project, services, scale } = wish
  const { name } = project
  const reasons = reasonsToHold(project).map(({ text }) => text)
  const watch = wish.watch ?? (await watchedBefore(call, wish))
  if (reasons.length === 0 && !watch) {
    await releaseStack(call, { client, name })
    return { [Symbol.asyncDispose]: () => Promise.resolve() }
  }
  const keeper = await newKeeper(call, client)
  const turn = await openTurn(keeper, { name, by: 'making' })
  const { keeperEndpoints } = await import('../api/keeper.ts')
  const body = { project: freeze(project), services, scale, reasons, watch }
  await keeper.call(keeperEndpoints.stackHold, { params: { name }, body })
  return turn
}

/** What an `up` brings about of a stack that is watched is what is watched from then on. */
async function watchedBefore(call: Call, { client, project, files }: Wish): Promise<ReadAgain | undefined> {
  const { name } = project
  const held = (await heldStacks(call, client)).get(name)
  if (!held?.Watched) return undefined
  if (files) return (await import('./read-again.ts')).readAgain(call, { host: client.host, files })
  call.screen.warn(`The files of "${name}" are no longer watched: what runs now is not what they say`)
  return undefined
}

export interface WishOf extends Pick<Wish, 'watch' | 'files'> {
  readonly loaded: { readonly project: Project }
  readonly client: Client
  readonly options: Pick<UpOptions, 'services' | 'scale' | 'noStart'>
  /** How the stack was read; undefined: it was not, and is given whole. */
  readonly choices?: LoadChoices
}

/** What an `up` wishes, for whoever holds the stack from then on. */
export function wishOf(call: Call, wish: WishOf) {
  const { loaded, client, options } = wish
  const { name } = loaded.project
  let told: Promise<AsyncDisposable | undefined> | undefined
  let isKept = false
  return {
    /**
     * Tells it when a person has agreed. Whoever holds the stack already knows it before anything is changed, and goes on with that should this
     * process be killed; a keeper that has to come up is not waited for.
     */
    after(ask: (plan: Plan) => Promise<boolean>): (plan: Plan) => Promise<boolean> {
      return async plan => {
        if (!(await ask(plan))) return false
        if (!options.noStart) told ??= tell(call, wish)
        if (isKept) await told
        return true
      }
    },
    /** Does `work` while the keeper does nothing to the stack. */
    async during<T>(work: () => Promise<T>): Promise<T> {
      if (call.globals['dry-run']) return await work()
      return await inTurn(call, { client, name, making: true, scale: options.scale }, async kept => {
        isKept = kept
        try {
          return await work()
        } finally {
          await (await told)?.[Symbol.asyncDispose]()
        }
      })
    },
  }
}

/** That nobody holds it is worth a word, and no failure of what was asked for. */
async function tell(call: Call, wish: WishOf): Promise<AsyncDisposable | undefined> {
  const { loaded, client, options, choices, watch, files } = wish
  const { services, scale } = options
  try {
    const project = services === undefined || !choices ? loaded.project : await wholeProject(call, choices)
    return await tellWish(call, { client, project, services, scale, watch, files })
  } catch (error) {
    call.screen.warn(`The stack is not held: ${messageOf(error)}`)
    return undefined
  }
}

/** All of the stack, whatever was named on the command line, without its warnings: they have been told. */
async function wholeProject(call: Call, choices: LoadChoices): Promise<Project> {
  const { loadProject } = await import('./project.ts')
  const screen = Object.create(call.screen, { say: { value: () => undefined }, warn: { value: () => undefined } })
  const whole = { ...choices, services: undefined, selected: undefined, making: { services: 'all' } } as const
  return (await loadProject({ ...call, screen }, whole)).project
}

/** The stack is nobody's business any more; whether it was the keeper's until now. */
export async function releaseStack(call: Asking, { client, name }: Pick<TurnOf, 'client' | 'name'>): Promise<boolean> {
  const keeper = await keeperOf(call, client)
  if (!keeper) {
    ;(await import('../holding/lost.ts')).forget(name, { host: client.host, env: call.env })
    return false
  }
  try {
    const { keeperEndpoints } = await import('../api/keeper.ts')
    await keeper.call(keeperEndpoints.stackRelease, { params: { name } })
    return true
  } catch (error) {
    if (!isFailure(error, 'not-found')) throw error
    return false
  } finally {
    keeper.close()
  }
}

/** What the keeper holds, by project; none when there is no keeper, or when it does not answer, which is said. */
export async function heldStacks(call: Call, client: Client): Promise<ReadonlyMap<string, HeldStack>> {
  let keeper: Client | undefined
  try {
    keeper = await keeperOf(call, client)
    if (!keeper) return new Map()
    const { keeperEndpoints } = await import('../api/keeper.ts')
    const stacks = await keeper.call(keeperEndpoints.stackList, {}, { signal: call.signal })
    return new Map(stacks.map(stack => [stack.Name, stack]))
  } catch (error) {
    call.screen.warn(`Cannot ask the keeper: ${messageOf(error)}`)
    return new Map()
  } finally {
    keeper?.close()
  }
}
