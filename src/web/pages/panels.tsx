/** The sides of a stack, in the order they stand. */
import type { ComponentType } from 'preact'
import { AccessPanel } from './access.tsx'
import { BuildsPanel } from './builds.tsx'
import { FilesPanel } from './files.tsx'
import { GraphPanel } from './graph.tsx'
import { HistoryPanel } from './history.tsx'
import { LogsPanel } from './logs.tsx'
import { PlanPanel } from './plan.tsx'
import type { PanelProps, Tab } from './route.ts'
import { ServicesPanel } from './services.tsx'
import { StatsPanel } from './stats.tsx'
import { TerminalPanel } from './terminal.tsx'
import { TimelinePanel } from './timeline.tsx'

const rows: readonly { readonly tab: Tab; readonly title: string; readonly panel: ComponentType<PanelProps> }[] = [
  { tab: 'services', title: 'Services', panel: ServicesPanel },
  { tab: 'logs', title: 'Logs', panel: LogsPanel },
  { tab: 'stats', title: 'Stats', panel: StatsPanel },
  { tab: 'terminal', title: 'Terminal', panel: TerminalPanel },
  { tab: 'plan', title: 'Plan', panel: PlanPanel },
  { tab: 'files', title: 'Files', panel: FilesPanel },
  { tab: 'history', title: 'History', panel: HistoryPanel },
  { tab: 'graph', title: 'Graph', panel: GraphPanel },
  { tab: 'timeline', title: 'Timeline', panel: TimelinePanel },
  { tab: 'builds', title: 'Builds', panel: BuildsPanel },
  { tab: 'access', title: 'Access', panel: AccessPanel },
]

export const shownTabs: readonly { readonly tab: Tab; readonly title: string }[] = rows

export const panels = Object.fromEntries(rows.map(({ tab, panel }) => [tab, panel])) as Readonly<
  Record<Tab, ComponentType<PanelProps>>
>
