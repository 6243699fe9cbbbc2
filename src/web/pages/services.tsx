/** The services of a stack, and the containers of each. */
import type { ReplicaRow, ServiceRow } from '../../view/stacks.ts'
import { turn } from './actions.tsx'
import { Badge, Dot, Empty, Pill } from './bits.tsx'
import { type PanelProps, pathOf } from './route.ts'
import { readOnly, stackOf } from './store.ts'

export function ServicesPanel({ stack: name }: PanelProps) {
  const stack = stackOf(name).value
  if (!stack) return null
  if (stack.services.length === 0)
    return <Empty title="Nothing of it is there">The plan shows what bringing it up would make.</Empty>
  return (
    <ul class="services">
      {stack.services.map(service => (
        <Service key={service.name} stack={name} service={service} />
      ))}
    </ul>
  )
}

function Service({ stack, service }: { readonly stack: string; readonly service: ServiceRow }) {
  const { name, condition, replicas, needs } = service
  const isUp = replicas.some(each => ['running', 'unhealthy', 'starting', 'restarting'].includes(each.condition))
  return (
    <li class="service">
      <div class="service-head">
        <h2>{name}</h2>
        <Pill condition={condition} />
        {replicas.length > 1 && <Badge>{replicas.length} containers</Badge>}
        <span class="spacer" />
        <a href={pathOf(stack, 'logs', { services: name })}>Logs</a>
        {!readOnly.value && (
          <>
            {isUp && <a href={pathOf(stack, 'terminal', { container: replicas[0]!.name })}>Terminal</a>}
            <button
              type="button"
              class="quiet"
              aria-label={`Restart ${name}`}
              onClick={() => turn(stack, 'restart', [name])}
            >
              Restart
            </button>
            {isUp ? (
              <button
                type="button"
                class="quiet"
                aria-label={`Stop ${name}`}
                onClick={() => turn(stack, 'stop', [name])}
              >
                Stop
              </button>
            ) : (
              <button
                type="button"
                class="quiet"
                aria-label={`Start ${name}`}
                onClick={() => turn(stack, 'start', [name])}
              >
                Start
              </button>
            )}
          </>
        )}
      </div>
      {needs.length > 0 && (
        <p class="muted service-needs">
          After {needs.map(each => `${each.service} ${conditionText[each.condition] ?? each.condition}`).join(', ')}
        </p>
      )}
      <ul class="replicas">
        {replicas.map(replica => (
          <Replica key={replica.id} replica={replica} />
        ))}
      </ul>
    </li>
  )
}

const conditionText: Readonly<Record<string, string>> = {
  started: 'has started',
  healthy: 'is healthy',
  completed: 'has completed',
}

function Replica({ replica }: { readonly replica: ReplicaRow }) {
  const { name, condition, status, image, ports, oneOff } = replica
  const published = ports.filter(each => each.PublishedPort !== 0)
  return (
    <li class="replica">
      <Dot condition={condition} />
      <span class="replica-name">{name}</span>
      <span class="replica-status">
        {status}
        {oneOff && ' · run'}
      </span>
      <span class="replica-image mono">{image}</span>
      <span class="replica-ports mono">
        {[...new Set(published.map(each => `${each.PublishedPort}→${each.TargetPort}`))].join(' ')}
      </span>
    </li>
  )
}
