"""Quality: rules become measures, measures become a judgement."""
