/** The merged log of a stack: filtered by the server, as it comes or searched whole. */
import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { LogMessage, LogWish } from '../wire.ts'
import { ofStack } from './ask.ts'
import { Empty, Notice } from './bits.tsx'
import { type BufferedLine, clockText, colourOf, LogBuffer, localInput } from './log-buffer.ts'
import { LineText } from './log-line.tsx'
import { go } from './navigate.ts'
import { type PanelProps, pathOf } from './route.ts'
import { watch } from './socket.ts'
import { stackOf } from './store.ts'
import { useVirtual } from './use-virtual.ts'

const isFollowing = signal(true)
const levels = ['debug', 'info', 'warn', 'error'] as const

export function LogsPanel({ stack, query }: PanelProps) {
  const [buffer] = useState(() => new LogBuffer())
  const [version, setVersion] = useState(0)
  const [error, setError] = useState<string | undefined>(undefined)
  const wish = wishOf(query)
  const key = JSON.stringify(wish)
  useEffect(() => {
    isFollowing.value = true
    return watch(
      { topic: 'logs', stack, ...wish },
      {
        begin() {
          buffer.clear()
          setError(undefined)
          setVersion(before => before + 1)
        },
        data(data) {
          buffer.add(data as LogMessage)
          setVersion(before => before + 1)
        },
        end: setError,
      },
    )
  }, [stack, key])
  return (
    <section class="logs" aria-label="Log">
      <LogBar stack={stack} query={query} />
      {error !== undefined && (
        <Notice tone="bad" title="The log cannot be read">
          {error}
        </Notice>
      )}
      <Lines stack={stack} lines={buffer.lines} version={version} />
      <p class="logs-foot muted">
        <span role="status">
          {buffer.lines.length} lines{buffer.left > 0 ? `, ${buffer.left} earlier ones left out` : ''}
        </span>
        {!isFollowing.value && wish.follow && (
          <button type="button" onClick={() => (isFollowing.value = true)}>
            Follow
          </button>
        )}
      </p>
    </section>
  )
}

function wishOf({ services, grep, level, since, live }: Readonly<Record<string, string>>): LogWish {
  const from = since === undefined ? Number.NaN : Number(since)
  return {
    follow: live !== 'no',
    ...(services && { services: services.split(',') }),
    ...(grep && { grep }),
    ...(level && { level }),
    ...(Number.isFinite(from) && { since: from }),
  }
}

function LogBar({ stack, query }: PanelProps) {
  const services = stackOf(stack).value?.services ?? []
  const [text, setText] = useState(query['grep'] ?? '')
  const change = (more: Readonly<Record<string, string | undefined>>): void => {
    const merged = Object.entries({ ...query, ...more }).filter((each): each is [string, string] => Boolean(each[1]))
    go(pathOf(stack, 'logs', Object.fromEntries(merged)), { replace: true })
  }
  useEffect(() => {
    if (text === (query['grep'] ?? '')) return
    const due = setTimeout(() => change({ grep: text }), 300)
    return () => clearTimeout(due)
  }, [text])
  const download = new URLSearchParams()
  for (const name of query['services']?.split(',') ?? []) download.append('services', name)
  if (query['grep']) download.set('grep', query['grep'])
  if (query['level']) download.set('level', query['level'])
  return (
    <div class="bar">
      <input
        class="filter"
        type="search"
        data-filter
        placeholder="Regular expression"
        aria-label="Only lines that match"
        value={text}
        onInput={event => setText(event.currentTarget.value)}
      />
      <select
        aria-label="Service"
        value={query['services'] ?? ''}
        onChange={event => change({ services: event.currentTarget.value })}
      >
        <option value="">All services</option>
        {services.map(({ name }) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <select
        aria-label="Level"
        value={query['level'] ?? ''}
        onChange={event => change({ level: event.currentTarget.value })}
      >
        <option value="">Any level</option>
        {levels.map(level => (
          <option key={level} value={level}>
            {level} and worse
          </option>
        ))}
      </select>
      <label class="since">
        From
        <input
          type="datetime-local"
          step="1"
          value={query['since'] ? localInput(Number(query['since'])) : ''}
          onChange={({ currentTarget: { value } }) =>
            change({ since: value === '' ? undefined : String(new Date(value).getTime()) })
          }
        />
      </label>
      <label>
        <input
          type="checkbox"
          checked={query['live'] === 'no'}
          onChange={event => change({ live: event.currentTarget.checked ? 'no' : undefined })}
        />
        Whole history
      </label>
      <span class="spacer" />
      <a class="button" href={`${ofStack(stack, 'logs.txt')}?${download}`} download>
        Download
      </a>
    </div>
  )
}

function Lines({ stack, lines, version }: { stack: string; lines: readonly BufferedLine[]; version: number }) {
  const scroll = useRef<HTMLDivElement>(null)
  const virtual = useVirtual({
    count: lines.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => 22,
    getItemKey: at => lines[at]?.id ?? at,
  })
  const items = virtual.getVirtualItems()
  const follow = isFollowing.value
  useLayoutEffect(() => {
    if (follow && lines.length > 0) virtual.scrollToIndex(lines.length - 1, { align: 'end' })
  }, [version, follow])
  const onWheel = (event: WheelEvent): void => {
    if (event.deltaY < 0) isFollowing.value = false
  }
  const onScroll = (): void => {
    const box = scroll.current
    if (box && box.scrollHeight - box.scrollTop - box.clientHeight < 4) isFollowing.value = true
  }
  return (
    <div
      ref={scroll}
      class="log-lines"
      role="log"
      aria-label="Lines"
      aria-live="off"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
      tabIndex={0}
      onWheel={onWheel}
      onScroll={onScroll}
      onKeyDown={({ key }) => {
        if (key === 'ArrowUp' || key === 'PageUp' || key === 'Home') isFollowing.value = false
      }}
    >
      {lines.length === 0 && <Empty title="No lines yet" />}
      <div class="log-all" style={{ height: `${virtual.getTotalSize()}px` }}>
        {items.map(({ index, start, key }) => {
          const line = lines[index]
          if (!line) return null
          return (
            <div
              key={key}
              data-index={index}
              ref={element => virtual.measureElement(element)}
              class={`log-line level-${line.level}${line.note ? ' note' : ''}`}
              style={{ transform: `translateY(${start}px)` }}
            >
              <Time stack={stack} time={line.time} />
              <span class={`log-service fg-${colourOf(line.service)}`} title={line.container}>
                {line.service}
              </span>
              <span class="log-text">
                <LineText text={line.text} />
              </span>
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** Leads to what all others printed around it. */
function Time({ stack, time }: { readonly stack: string; readonly time: number | undefined }) {
  if (time === undefined) return <span class="log-time" />
  const around = pathOf(stack, 'logs', { since: String(time - 2000), live: 'no' })
  return (
    <a class="log-time" href={around} title="Show what all services printed around it" tabIndex={-1}>
      {clockText(time)}
    </a>
  )
}
