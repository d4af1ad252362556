import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './styles/page.css';
import { App } from './app.tsx';

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<App />);
