import { performance } from 'node:perf_hooks';
import { Counter, Gauge, type Registry } from 'prom-client';

type Sources = Readonly<Record<string, readonly [help: string, read: () => number]>>;

/** Under the names that dashboards for Node.js look for, in seconds and bytes. */
const counters: Sources = {
  process_cpu_user_seconds_total: [
    'User CPU time of the process.',
    () => process.cpuUsage().user / 1e6,
  ],
  process_cpu_system_seconds_total: [
    'System CPU time of the process.',
    () => process.cpuUsage().system / 1e6,
  ],
  nodejs_eventloop_active_seconds_total: [
    'Time that the event loop was busy; its rate is the utilisation.',
    () => performance.eventLoopUtilization().active / 1e3,
  ],
};

const gauges: Sources = {
  process_start_time_seconds: [
    'When the process started, since the Unix epoch.',
    () => performance.timeOrigin / 1e3,
  ],
  process_resident_memory_bytes: ['Resident memory.', () => process.memoryUsage.rss()],
  nodejs_heap_size_used_bytes: ['Used heap.', () => process.memoryUsage().heapUsed],
  nodejs_heap_size_total_bytes: [
    'Heap taken of the system.',
    () => process.memoryUsage().heapTotal,
  ],
  nodejs_external_memory_bytes: ['Memory outside the heap.', () => process.memoryUsage().external],
};

/**
 * Registers what the process itself uses. Read when scraped; those that prom-client has would keep an
 * observer of garbage collections and a timer that nobody can stop.
 */
export function registerProcessMetrics(register: Registry): void {
  for (const [name, [help, read]] of Object.entries(counters)) {
    const registers = [register];
    const metric: Counter = new Counter({ name, help, registers, collect: () => show() });
    const show = (): void => {
      metric.reset();
      metric.inc(read());
    };
  }
  for (const [name, [help, read]] of Object.entries(gauges)) {
    const metric: Gauge = new Gauge({
      ...{ name, help, registers: [register] },
      collect: () => metric.set(read()),
    });
  }
}
