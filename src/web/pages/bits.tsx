/** Small parts that all pages are made of. */
import type { ComponentChildren } from 'preact'
import type { Condition } from '../../view/stacks.ts'
import { conditionWords, toneOf } from './words.ts'

/** Its shape tells good from bad where its colour does not. */
export function Dot({ condition, title }: { readonly condition: Condition; readonly title?: string }) {
  return <span class={`dot ${toneOf(condition)} is-${condition}`} title={title} aria-hidden="true" />
}

export function Pill({ condition }: { readonly condition: Condition }) {
  return (
    <span class={`pill ${toneOf(condition)}`}>
      <Dot condition={condition} />
      {conditionWords[condition]}
    </span>
  )
}

export function Badge({ children, title, tone = 'idle' }: BadgeProps) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {children}
    </span>
  )
}

interface BadgeProps {
  readonly children: ComponentChildren
  readonly title?: string
  readonly tone?: 'idle' | 'warn' | 'bad' | 'good'
}

export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <p>{children}</p>}
    </div>
  )
}

export function Notice({
  tone,
  title,
  children,
}: {
  readonly tone: 'bad' | 'warn' | 'good'
  readonly title: string
  readonly children?: ComponentChildren
}) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      <p class="notice-title">{title}</p>
      {children && <div>{children}</div>}
    </div>
  )
}

export function Waiting({ what }: { readonly what: string }) {
  return (
    <p class="waiting" role="status">
      {what}
    </p>
  )
}
