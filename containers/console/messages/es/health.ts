import type { Translation } from '../../language/plurals.ts';
import type { health as english } from '../en/health.ts';

/** Cómo está el servidor. */
export const health = {
  title: 'Estado',
  intro:
    'Cómo está ahora el proceso del servidor que te respondió, qué significa cada dato y cuándo preocuparse. Los errores mismos están en su registro.',
  version: 'Versión',
  uptime: 'En marcha desde',
  database: 'Base de datos',
  replica: 'Réplica de lectura',
  redis: 'Redis',
  queue: 'La petición que más espera',
  marks: 'Última marca para restaurar',
  meanings: {
    version: 'Dila cuando pidas ayuda. Después de una actualización, todos los servidores tienen la nueva en minutos.',
    uptime: 'Si es de hace un momento y nadie lo actualizó ni lo reinició, el proceso se cayó: mira su registro.',
    database:
      'Ahí se guarda todo. Lo normal son unos milisegundos. Preocúpate si tarda más de medio segundo durante minutos; mientras no responde, no se puede entregar ni canjear ningún código.',
    schema: 'Cómo están hechas las tablas. Preocúpate solo si hace falta otra versión que la que hay.',
    replica:
      'Una copia de la que se leen listas y exportaciones. Unos segundos de retraso son normales. Con diez minutos o más, las listas y exportaciones ya no están al día y alguien tiene que mirarlo; entregar y canjear funcionan bien de todos modos.',
    redis:
      'Cuenta quién prueba códigos demasiadas veces. Unos minutos sin él no hacen daño: cada proceso cuenta por su cuenta. Preocúpate si falta durante una hora.',
    queue:
      'Cuánto espera su turno una petición, en el peor caso. Por debajo de un segundo todo está bien. Desde dos segundos se rechazan las nuevas: la base de datos es demasiado lenta para lo que se le pide.',
    marks:
      'Cada segundo se anota en el registro hasta dónde se entregaron códigos, para que una base de datos restaurada no entregue ninguno dos veces. Más de diez segundos es tarde: los clientes no notan nada, pero no restaures la base de datos hasta que esté bien.',
    dropped:
      'Lo correcto es cero. Si el número crece, el registro no se puede escribir tan rápido, y un error puede no constar en ninguna parte.',
    pools:
      'Cada petición toma una conexión con la base de datos y la devuelve. Que todas estén abiertas no es malo. Preocúpate si durante minutos hay quien espera una: la base de datos es demasiado lenta, o algo retiene las conexiones.',
    tasks:
      'Lo que falla se intenta otra vez solo, así que un fallo no es grave. Preocúpate si una tarea falló tres veces seguidas o más: lo que hace queda detenido hasta que salga bien.',
  },
  reachable: (time) => `Responde en ${time}`,
  unreachable: 'No responde',
  behind: (time) => `${time} de retraso`,
  schema: 'Esquema',
  schemaIs: (version) => `Versión ${version}, la necesaria`,
  schemaWrong: (version, needed) => `Versión ${version}, pero hace falta la ${needed}: ejecuta las migraciones`,
  notConfigured: 'Sin configurar',
  redisStates: { ready: 'Listo', away: 'Ausente: todo sigue sin él', closed: 'Cerrado' },
  ago: (time) => `hace ${time}`,
  late: 'Tarde',
  dropped: 'Líneas que el registro perdió',
  pools: 'Conexiones a la base de datos',
  pool: 'Para',
  poolNames: {
    'hot path': 'Entregar y canjear códigos',
    'other writes': 'Otros cambios',
    lists: 'Listas',
    background: 'Segundo plano',
  },
  open: 'Abiertas',
  max: 'Máximo',
  idle: 'Libres',
  waiting: 'En espera',
  tasks: 'Trabajo en segundo plano',
  task: 'Tarea',
  inLog: 'en el registro:',
  taskNames: {
    maintenance: 'Mantener las tablas en orden',
    'ended sessions': 'Quitar sesiones terminadas',
    'settle events': 'Ordenar los eventos',
    'count events': 'Contar eventos para los gráficos',
    'jobs 1': 'Trabajos, primer ejecutor',
    'jobs 2': 'Trabajos, segundo ejecutor',
    'jobs clean-up': 'Quitar trabajos viejos',
    'hand on events': 'Pasar eventos a los webhooks',
    'watch books': 'Vigilar talonarios para los webhooks',
    'announce stock': 'Avisar de talonarios que se agotan',
    'replay events': 'Enviar eventos de nuevo',
    'deliver webhooks': 'Enviar a los webhooks',
    'purge deliveries': 'Quitar envíos viejos',
  },
  taskState: 'Estado',
  fine: 'Bien',
  failures: 'Fallos seguidos',
  lastFailedAt: 'Último fallo',
  never: 'Nunca',
  othersOnly: 'Lo que causan todos los inquilinos juntos se muestra solo al primero.',
} satisfies Translation<typeof english>;
