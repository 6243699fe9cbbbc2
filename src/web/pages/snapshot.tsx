/** Taking a snapshot of all stacks, and looking at one that somebody has sent. */
import { signal } from '@preact/signals'
import { render } from 'preact'
import type { LogMessage, StackModel } from '../wire.ts'
import { ask, ofStack, Refused } from './ask.ts'
import { Badge, Dot, Pill } from './bits.tsx'
import { clockText, colourOf } from './log-buffer.ts'
import { LineText } from './log-line.tsx'
import { readSnapshot, type Snapshot, type SnapshotLine, snapshotHtml } from './snapshot-file.ts'
import { watch } from './socket.ts'
import { engine, stackNames, stackOf, troubles } from './store.ts'
import { TroubleList } from './troubles.tsx'
import { summaryOf } from './words.ts'

/** One that was opened from a file. */
export const openedSnapshot = signal<Snapshot | undefined>(undefined)

/** Lines of each stack. */
const lines = 200

export async function saveSnapshot(): Promise<void> {
  const snapshot = await takeSnapshot()
  const box = document.createElement('div')
  render(<SnapshotView snapshot={snapshot} />, box)
  const style = await styleText()
  const blob = new Blob([snapshotHtml(snapshot, { body: box.innerHTML, style })], { type: 'text/html' })
  render(null, box)
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = `stacks-${snapshot.taken.slice(0, 19).replaceAll(':', '-')}.html`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

export async function openSnapshot(file: File): Promise<void> {
  openedSnapshot.value = readSnapshot(await file.text())
}

async function takeSnapshot(): Promise<Snapshot> {
  const names = stackNames.value
  const stacks = names.flatMap(name => stackOf(name).value ?? [])
  const models: Record<string, Snapshot['models'][string]> = {}
  const logs: Record<string, readonly SnapshotLine[]> = {}
  for (const name of names) {
    const model = await ask<StackModel>(ofStack(name, 'model')).catch((error: unknown) => {
      if (error instanceof Refused) return undefined
      throw error
    })
    if (model) models[name] = { services: model.services, findings: model.findings, problems: model.problems }
    logs[name] = await lastLines(name)
  }
  return {
    version: 1,
    taken: new Date().toISOString(),
    engine: engine.value?.host ?? '',
    stacks,
    troubles: troubles.value,
    models,
    logs,
  }
}

function lastLines(stack: string): Promise<readonly SnapshotLine[]> {
  return new Promise(resolve => {
    const all: SnapshotLine[] = []
    const stop = watch(
      { topic: 'logs', stack, follow: false, since: Date.now() - 3_600_000 },
      {
        begin: () => void all.splice(0),
        data(data) {
          for (const { time, service, text } of (data as LogMessage).lines) all.push({ time, service, text })
        },
        end() {
          stop()
          resolve(all.slice(-lines))
        },
      },
    )
  })
}

async function styleText(): Promise<string> {
  const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')
  return link ? await (await fetch(link.href)).text() : ''
}

export function SnapshotView({ snapshot }: { readonly snapshot: Snapshot }) {
  const { taken, engine: host, stacks, troubles: wrong, logs } = snapshot
  return (
    <article class="snapshot">
      <h1>Stacks as they were</h1>
      <p class="muted">
        {new Date(taken).toLocaleString()}, {host}
      </p>
      {wrong.length > 0 && (
        <section>
          <h2>Needs attention</h2>
          <TroubleList troubles={wrong} withStack />
        </section>
      )}
      {stacks.map(({ name, directory, condition, services }) => (
        <section key={name}>
          <h2>{name}</h2>
          <p class="stack-where">
            <Pill condition={condition} /> <span class="muted">{summaryOf(services)}</span>{' '}
            <span class="stack-folder">{directory}</span>
          </p>
          <ul class="services">
            {services.map(service => (
              <li key={service.name} class="service">
                <div class="service-head">
                  <h3>{service.name}</h3>
                  <Pill condition={service.condition} />
                  {service.replicas.length > 1 && <Badge>{service.replicas.length} containers</Badge>}
                </div>
                <ul class="replicas">
                  {service.replicas.map(replica => (
                    <li key={replica.id} class="replica">
                      <Dot condition={replica.condition} />
                      <span>{replica.name}</span>
                      <span class="replica-status">{replica.status}</span>
                      <span class="replica-image mono">{replica.image}</span>
                    </li>
                  ))}
                </ul>
              </li>
            ))}
          </ul>
          {(logs[name]?.length ?? 0) > 0 && (
            <details>
              <summary>Its last {logs[name]!.length} lines</summary>
              <pre class="lines">
                {logs[name]!.map(({ time, service, text }, at) => (
                  <span key={at} class="line">
                    <span class="muted">{clockText(time)}</span>{' '}
                    <span class={`fg-${colourOf(service)}`}>{service}</span> <LineText text={text} />
                  </span>
                ))}
              </pre>
            </details>
          )}
        </section>
      ))}
    </article>
  )
}
