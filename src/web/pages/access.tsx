/** Where the stack is reached, who may, and what it grants. */
import { useEffect, useState } from 'preact/hooks'
import type { StackModel } from '../wire.ts'
import { ask, ofStack, Refused } from './ask.ts'
import { Badge, Empty, Notice, Waiting } from './bits.tsx'
import { groupFindings, reachOf } from './reach.ts'
import type { PanelProps } from './route.ts'
import { stackOf } from './store.ts'

export function AccessPanel({ stack }: PanelProps) {
  const [model, setModel] = useState<StackModel | undefined>(undefined)
  const [refused, setRefused] = useState<Refused | undefined>(undefined)
  useEffect(() => {
    ask<StackModel>(ofStack(stack, 'model')).then(setModel, (error: unknown) => {
      if (error instanceof Refused) setRefused(error)
    })
  }, [stack])
  const row = stackOf(stack).value
  const published = (row?.services ?? []).flatMap(({ name, replicas }) =>
    replicas.flatMap(replica =>
      replica.ports
        .filter(each => each.PublishedPort !== 0)
        .map(port => ({ service: name, container: replica.name, port })),
    ),
  )
  return (
    <>
      <section aria-labelledby="ports">
        <h2 id="ports">Ports</h2>
        {published.length === 0 ? (
          <Empty title="Nothing is published">Services reach each other by their names.</Empty>
        ) : (
          <div class="table-box">
            <table>
              <thead>
                <tr>
                  <th scope="col">Address</th>
                  <th scope="col">Leads to</th>
                  <th scope="col">Who may reach it</th>
                </tr>
              </thead>
              <tbody>
                {published.map(({ service, container, port }) => {
                  const { address, link, who, tone } = reachOf(port, row?.urls ?? [], container)
                  return (
                    <tr key={`${container} ${address} ${port.TargetPort}`}>
                      <td class="mono">
                        {link === undefined ? (
                          address
                        ) : (
                          <a href={link} target="_blank" rel="noreferrer">
                            {address}
                          </a>
                        )}
                      </td>
                      <td>
                        {service} <span class="muted mono">{`${port.TargetPort}/${port.Protocol}`}</span>
                      </td>
                      <td>
                        <Badge tone={tone}>{who}</Badge>
                      </td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <section aria-labelledby="grants">
        <h2 id="grants">What it grants</h2>
        {refused && (
          <Notice tone="bad" title={refused.message}>
            {refused.hint}
          </Notice>
        )}
        {!model && !refused && <Waiting what="Reading…" />}
        {model && model.findings.length === 0 && <Empty title="Nothing to report" />}
        <ul class="findings">
          {groupFindings(model?.findings ?? []).map(({ services, severity, rule, grants, risk, change }) => (
            <li key={`${rule} ${grants}`} class="finding">
              <p>
                <Badge tone={toneOf(severity)}>{severity}</Badge> <strong>{services.join(', ')}</strong> {grants}
              </p>
              <p class="muted">{risk}</p>
              <p class="muted">
                Instead: <code>{change}</code>
              </p>
            </li>
          ))}
        </ul>
      </section>
    </>
  )
}

function toneOf(severity: string): 'bad' | 'warn' | 'idle' {
  if (severity === 'critical' || severity === 'high') return 'bad'
  return severity === 'medium' ? 'warn' : 'idle'
}
