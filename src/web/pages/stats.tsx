/** What the containers of a stack use, each second, against their limits. */
import { useEffect, useRef, useState } from 'preact/hooks'
import type { TimelineEntry, Usage } from '../wire.ts'
import { Empty, Notice, Waiting } from './bits.tsx'
import type { Chart } from './chart.ts'
import type { PanelProps } from './route.ts'
import { watch } from './socket.ts'
import { type Series, StatsBook } from './stats-series.ts'
import { stackOf } from './store.ts'
import { bytesText } from './words.ts'

/** Milliseconds for which what no longer runs is shown. */
const linger = 60_000

export function StatsPanel({ stack }: PanelProps) {
  const [book] = useState(() => new StatsBook())
  const [kills] = useState(() => new Map<string, number[]>())
  const [version, setVersion] = useState(0)
  const [error, setError] = useState<string | undefined>(undefined)
  useEffect(() => {
    const stops = [
      watch(
        { topic: 'stats', stack },
        {
          begin: () => book.clear(),
          data(data) {
            for (const usage of data as readonly Usage[]) book.add(usage)
            book.forget(Date.now() - linger)
            setVersion(before => before + 1)
          },
          end: setError,
        },
      ),
      watch(
        { topic: 'events', stack },
        {
          begin: () => kills.clear(),
          data(data) {
            const { container, time, text } = data as TimelineEntry
            if (text === 'ran out of memory') kills.set(container, [...(kills.get(container) ?? []), time / 1000])
          },
        },
      ),
    ]
    return () => {
      for (const stop of stops) stop()
    }
  }, [stack])
  const all = book.all
  if (error !== undefined)
    return (
      <Notice tone="bad" title="No statistics">
        {error}
      </Notice>
    )
  if (all.length === 0)
    return (stackOf(stack).value?.services.length ?? 0) === 0 ? (
      <Empty title="Nothing runs" />
    ) : (
      <Waiting what="Measuring…" />
    )
  return (
    <ul class="usages">
      {all.map(series => (
        <UsageCard key={series.container} series={series} kills={kills.get(series.container) ?? []} version={version} />
      ))}
    </ul>
  )
}

function UsageCard({ series, kills, version }: { series: Series; kills: readonly number[]; version: number }) {
  const { last, container, service } = series
  const { cpu, cpuLimit, memory, memoryLimit, pressure } = last
  return (
    <li class="usage">
      <div class="usage-head">
        <h2>{service}</h2>
        <span class="muted">{container}</span>
        {kills.length > 0 && <span class="badge bad">out of memory {kills.length}×</span>}
        {pressure && Math.max(pressure.cpu, pressure.memory, pressure.io) >= 10 && (
          <span class="badge warn" title="Share of the last ten seconds in which something of it waited (PSI)">
            waits: cpu {Math.round(pressure.cpu)} %, memory {Math.round(pressure.memory)} %, disk{' '}
            {Math.round(pressure.io)} %
          </span>
        )}
        <span class="spacer" />
        <span class="muted">{last.processes === 1 ? '1 process' : `${last.processes} processes`}</span>
      </div>
      <div class="usage-charts">
        <Gauge
          title="Processor"
          now={`${cpu.toFixed(1)} %`}
          limit={cpuLimit === undefined ? undefined : `${cpuLimit} %`}
        >
          <Plot series={series} column="cpu" limit={cpuLimit} version={version} marks={[]} />
        </Gauge>
        <Gauge
          title="Memory"
          now={bytesText(memory)}
          limit={memoryLimit === undefined ? undefined : bytesText(memoryLimit)}
          isFull={memoryLimit !== undefined && memory / memoryLimit > 0.9}
        >
          <Plot series={series} column="memory" limit={memoryLimit} version={version} marks={kills} />
        </Gauge>
        <Gauge title="Network" now={`${bytesText(series.network.at(-1) ?? 0)}/s`}>
          <Plot series={series} column="network" limit={undefined} version={version} marks={[]} />
        </Gauge>
        <Gauge title="Disk" now={`${bytesText(series.disk.at(-1) ?? 0)}/s`}>
          <Plot series={series} column="disk" limit={undefined} version={version} marks={[]} />
        </Gauge>
      </div>
    </li>
  )
}

interface GaugeProps {
  readonly title: string
  readonly now: string
  readonly limit?: string | undefined
  readonly isFull?: boolean
  readonly children: preact.ComponentChildren
}

function Gauge({ title, now, limit, isFull = false, children }: GaugeProps) {
  return (
    <div class="gauge">
      <p class="gauge-text">
        <span class="muted">{title}</span> <strong class={isFull ? 'full' : ''}>{now}</strong>
        {limit !== undefined && <span class="muted"> of {limit}</span>}
      </p>
      {children}
    </div>
  )
}

interface PlotProps {
  readonly series: Series
  readonly column: 'cpu' | 'memory' | 'network' | 'disk'
  readonly limit: number | undefined
  readonly version: number
  /** Times at which memory ran out. */
  readonly marks: readonly number[]
}

function Plot({ series, column, limit, version, marks }: PlotProps) {
  const box = useRef<HTMLDivElement>(null)
  const chart = useRef<Chart | undefined>(undefined)
  useEffect(() => {
    let isGone = false
    // loaded when it is first needed
    void import('./chart.ts').then(({ makeChart }) => {
      if (isGone || !box.current) return
      chart.current = makeChart(box.current)
      chart.current.show({ times: series.times, values: series[column], limit, marks })
    })
    return () => {
      isGone = true
      chart.current?.destroy()
    }
  }, [])
  useEffect(() => chart.current?.show({ times: series.times, values: series[column], limit, marks }), [version])
  return <div ref={box} class="plot" aria-hidden="true" />
}
