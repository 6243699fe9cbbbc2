/** What is wrong: a card each, with the cause and the last lines. */
import type { Trouble } from '../wire.ts'
import { LineText } from './log-line.tsx'
import { pathOf } from './route.ts'

const words: Readonly<Record<Trouble['kind'], string>> = {
  failed: 'failed',
  unhealthy: 'unhealthy',
  restarting: 'restarting',
  memory: 'out of memory',
  waiting: 'waiting',
}

export function TroubleList({ troubles, withStack = false }: { troubles: readonly Trouble[]; withStack?: boolean }) {
  return (
    <ul class="troubles">
      {troubles.map(trouble => (
        <TroubleCard key={trouble.id} trouble={trouble} withStack={withStack} />
      ))}
    </ul>
  )
}

function TroubleCard({ trouble, withStack }: { readonly trouble: Trouble; readonly withStack: boolean }) {
  const { stack, service, container, kind, cause, lines } = trouble
  // below a heading of all of them, or right below that of the stack
  const Heading = withStack ? 'h3' : 'h2'
  return (
    <li class={`trouble ${kind === 'restarting' || kind === 'waiting' ? 'warn' : 'bad'}`}>
      <div class="trouble-head">
        <Heading>
          {withStack && (
            <>
              <a href={pathOf(stack)}>{stack}</a> <span class="muted">/</span>{' '}
            </>
          )}
          <a href={pathOf(stack, 'logs', { services: service })} title={container}>
            {service}
          </a>
        </Heading>
        <span class="trouble-kind">{words[kind]}</span>
      </div>
      <p class="trouble-cause">
        <LineText text={cause} />
      </p>
      {lines.length > 0 && (
        <pre class="lines">
          {lines.map((line, at) => (
            <span key={at} class="line">
              <LineText text={line} />
            </span>
          ))}
        </pre>
      )}
    </li>
  )
}
