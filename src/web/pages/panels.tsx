/** The sides of a stack, in the order they stand. */
import type { ComponentType } from 'preact'
import type { PanelProps, Tab } from './route.ts'
import { ServicesPanel } from './services.tsx'

const rows: readonly { readonly tab: Tab; readonly title: string; readonly panel: ComponentType<PanelProps> }[] = [
  { tab: 'services', title: 'Services', panel: ServicesPanel },
]

export const shownTabs: readonly { readonly tab: Tab; readonly title: string }[] = rows

export const panels = Object.fromEntries(rows.map(({ tab, panel }) => [tab, panel])) as Readonly<
  Record<Tab, ComponentType<PanelProps>>
>
