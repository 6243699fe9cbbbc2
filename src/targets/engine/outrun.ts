/** Whether an operation failed only because somebody else did the same at the same time. */
import type { FailedNode } from '../../apply/plan-failure.ts'
import type { Ref } from '../../plan/operation.ts'
import type { Observed, ObservedContainer } from './observed.ts'
import type { Operation } from './operation.ts'
import { isLive } from './plan/ending.ts'

/** What the node wanted has come about, or what it was to be done to has gone: a new plan knows better. */
export function outrun({ node, failure }: FailedNode<Operation>, before: Observed, now: Observed): boolean {
  if (failure.kind !== 'conflict' && failure.kind !== 'not-found') return false
  const { operation } = node
  switch (operation.kind) {
    case 'create-network':
      return isNew(observed => observed.networks.get(operation.name)?.id, before, now)
    case 'create-volume':
      return isNew(observed => observed.volumes.get(operation.name)?.name, before, now)
    case 'remove-network':
    case 'remove-volume':
    case 'pull-image':
    case 'build-image':
    case 'remove-image':
    case 'delay':
      return false
    case 'create-container':
      // the other may have given it its last name by now
      return [operation.createName, operation.name].some(name => isNew(each => named(each, name)?.id, before, now))
    case 'rename-container':
      return isNew(observed => named(observed, operation.name)?.id, before, now)
    case 'remove-container':
      // it was taken for a leftover, and has been started since
      if (failure.kind === 'conflict') return isLiveNow(now, operation.container)
      return isGone(now, operation)
    case 'unpause-container':
      // it goes on already
      return isRunningNow(now, operation.container) || (failure.kind === 'not-found' && isGone(now, operation))
    default:
      return failure.kind === 'not-found' && isGone(now, operation)
  }
}

type OnContainer = Extract<Operation, { readonly container: Ref }>

function isGone({ containers }: Observed, { container, name }: OnContainer): boolean {
  return !containers.some(each => (typeof container === 'string' ? each.id === container : each.name === name))
}

function isLiveNow({ containers }: Observed, container: Ref): boolean {
  return containers.some(each => each.id === container && isLive(each))
}

function isRunningNow({ containers }: Observed, container: Ref): boolean {
  return containers.some(({ id, state }) => id === container && state === 'running')
}

function isNew(find: (observed: Observed) => string | undefined, before: Observed, now: Observed): boolean {
  const found = find(now)
  return found !== undefined && found !== find(before)
}

function named({ containers }: Observed, name: string): ObservedContainer | undefined {
  return containers.find(container => container.name === name)
}
